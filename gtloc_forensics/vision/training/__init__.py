"""Training: data, losses, queues, the loop. Nothing of it is needed, or held, when a model is used."""
