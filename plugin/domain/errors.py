"""What can go wrong, by whose fault and what to do next. `retryable` and `retry_after` decide; nobody else does.

Each error carries a stable `code` for logs and metrics, and a sentence for people as its message: what happened, what was kept, what to
do next. All arguments go to `super().__init__`, so errors pickle. Third-party exceptions never leave an adapter.
"""

from __future__ import annotations

from typing import ClassVar


class CrossdeskError(Exception):
    """Root of everything Crossdesk raises on purpose."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, retry_after: float | None = None, detail: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").splitlines()[0])
        self.retry_after = retry_after
        """Seconds to wait before the next try, where the other side said so."""
        self.detail = detail
        """The other side's own words, redacted, for the admin."""


class ConfigError(CrossdeskError):
    """The configuration cannot be used. `problems` lists every mistake, each with file and line."""

    code = "config"

    def __init__(self, message: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message or "\n".join(problems))
        self.problems = problems


class SignatureInvalid(CrossdeskError):
    """A webhook was not signed by the one it claims to be from."""

    code = "signature_invalid"


class MalformedPayload(CrossdeskError):
    """A payload that is theirs could not be read."""

    code = "malformed_payload"


class UnsupportedEvent(CrossdeskError):
    """A kind of event that Crossdesk does not carry; counted, never an error for the sender."""

    code = "unsupported_event"


class StoreUnavailable(CrossdeskError):
    """The database cannot be reached."""

    code = "store_unavailable"
    retryable = True


class RemoteError(CrossdeskError):
    """A platform or helpdesk did not do what was asked."""

    code = "remote"


class RemoteUnavailable(RemoteError):
    """The other side could not be reached, or said so before doing anything. Surely not applied."""

    code = "remote_unavailable"
    retryable = True


class RateLimited(RemoteError):
    """The other side asks us to wait. Surely not applied."""

    code = "rate_limited"
    retryable = True


class CredentialsRejected(RemoteError):
    """The token, password or key is no longer accepted. The channel pauses, everything is kept, the admin is told once."""

    code = "credentials_rejected"


class BillingStopped(RemoteError):
    """The account's credit or plan does not allow the call. The channel pauses, everything is kept, the admin is told once."""

    code = "billing_stopped"


class WindowClosed(RemoteError):
    """The platform does not let us answer this contact now (reply window, not summoned)."""

    code = "window_closed"


class RemoteRejected(RemoteError):
    """The other side refused this very content or target for good."""

    code = "remote_rejected"


class TargetGone(RemoteRejected):
    """The post, ticket or contact that was addressed does not exist any more."""

    code = "target_gone"


class OutcomeUnknown(RemoteError):
    """The call may or may not have been applied: settle, read back, then adopt, resend or quarantine."""

    code = "outcome_unknown"


class Unsupported(RemoteError):
    """The other side has no such ability; a fallback should have been chosen before."""

    code = "unsupported"
