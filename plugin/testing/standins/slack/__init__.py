"""A strict stand-in of Slack's Web and Events API, as far as a helpdesk's bot meets it: the methods it calls and the events it is told.

It refuses unknown arguments, wrong content types, missing scopes, over-long texts, rooms that the bot is no member of, and files that are not
its own; it signs events as Slack does. Checked against Slack's reference of each method.

    with SlackStandIn() as slack:
        ts = slack.says("C0HELP0001", "U0ADA00001", "My printer does not answer")
        ... SlackAdapter with slack.url as api_url and slack.token ...
        slack.said_by_bot("C0HELP0001"), slack.events
"""

from __future__ import annotations

from plugin.testing.standins.slack.server import APP, SECRET, TOKEN, SlackStandIn

__all__ = ["APP", "SECRET", "TOKEN", "SlackStandIn"]
