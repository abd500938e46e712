"""The commands of ``gtloc`` beside the audit, a file for each job; only ``cli`` uses them."""
