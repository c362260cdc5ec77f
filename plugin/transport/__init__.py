"""The only importer of `requests` among our modules: time-outs, redaction, size caps and the address filter."""
