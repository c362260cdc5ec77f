"""Conformance suites, strict stand-ins and the fixture loader, shipped for adapters written elsewhere. Production never imports it."""
