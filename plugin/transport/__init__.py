"""The only way out to other people's servers, and the only importer of `requests` among our modules."""
