"""Setting a helpdesk up: the plan is shown before anything is made. The administrator's token is used for the one call and kept nowhere."""

from __future__ import annotations

import hashlib

from flask import Flask, render_template, request

from plugin import log
from plugin.bootstrap import Bridge
from plugin.contracts.provisioning import Plan, Provisions
from plugin.handlers.admission import Role
from plugin.handlers.setting_up import provisionable
from plugin.store import ledger
from ui_extensions.console.doorkeeper import actor, needs

_LONGEST = 500


def add_helpdesk_pages(app: Flask, bridge: Bridge) -> None:
    """`/helpdesks/<name>`, and its plan."""

    @app.get("/helpdesks/<name>")
    @needs(Role.ADMIN)
    def set_up(name: str) -> str:
        return render_template("plan.html", name=name, adapter=provisionable(bridge.installation, name), plan=None, done=None, says="")

    @app.post("/helpdesks/<name>/plan")
    @needs(Role.ADMIN)
    def plan(name: str) -> str:
        found = _provisions(bridge, name).plan()
        return _page(bridge, name, found)

    @app.post("/helpdesks/<name>/apply")
    @needs(Role.ADMIN)
    def apply(name: str) -> str:
        provisions = _provisions(bridge, name)
        overwrite = request.form.get("overwrite") == "yes"
        found = provisions.plan()
        if _digest(found) != request.form.get("plan", ""):
            return _page(
                bridge, name, found, says="The helpdesk has changed since this plan was shown; nothing was made. This is the plan now."
            )
        done = provisions.apply(found, overwrite_drift=overwrite)
        with bridge.database.begin() as connection:
            counts: dict[str, int] = {}
            for one in done:
                counts[one.deed.value] = counts.get(one.deed.value, 0) + 1
            ledger.record(connection, actor=actor(), action="helpdesk apply", subject=f"helpdesk:{name}", detail=counts)
        return render_template("plan.html", name=name, adapter=provisionable(bridge.installation, name), plan=None, done=done, says="")


def _page(bridge: Bridge, name: str, plan: Plan, *, says: str = "") -> str:
    return render_template(
        "plan.html", name=name, adapter=provisionable(bridge.installation, name), plan=plan, digest=_digest(plan), done=None, says=says
    )


def _provisions(bridge: Bridge, name: str) -> Provisions:
    token = request.form.get("token", "").strip()[:_LONGEST]
    if token:
        log.register_secrets([token])
    return provisionable(bridge.installation, name).provisions(token)


def _digest(plan: Plan) -> str:
    return hashlib.sha256(repr(plan.steps).encode()).hexdigest()
