"""The practice network of the rehearsal (`ui_extensions/rehearsal/network`), reached as any other platform is."""
