"""The rules, one file each: GF1xx metadata alone, GF2xx sun and exposure, GF3xx model, GF4xx other photos."""
