"""Tables that rules consult: countries, devices and when they were first shown, programs, factory dates."""
