"""Whole policies for three ways in which teams are set up, as data: what `crossdesk policy new` writes and people copy from."""
