"""The practice helpdesk: a strict server that speaks the part of Zammad's REST API which our Zammad adapter uses, oddities included."""
