"""The use cases: receive, split, drain, reconcile, sweep. They use the store directly and everything else through contracts."""
