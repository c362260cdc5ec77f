"""The add-on for Zammad's classic agent pages: a package of Zammad's own format. Optional: without it the bridge works by Zammad's API alone."""
