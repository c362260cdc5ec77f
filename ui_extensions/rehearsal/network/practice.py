"""The trainer's side of the practice network: customers with their tokens. No part of what a platform offers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ui_extensions.rehearsal.faults import guard
from ui_extensions.rehearsal.network import schema
from ui_extensions.rehearsal.network.api import json_body, refusal
from ui_extensions.rehearsal.network.model import Refused, User
from ui_extensions.rehearsal.network.state import Network


def build(network: Network, token: str) -> Blueprint:
    """`GET` and `POST /rehearsal/customers`, with the control token as bearer."""
    practice = Blueprint("practice", __name__, url_prefix="/rehearsal/customers")
    practice.register_error_handler(Refused, refusal)
    practice.before_request(lambda: guard(token))

    @practice.get("")
    def customers() -> Any:
        return [_with_token(customer) for customer in network.customers()]

    @practice.post("")
    def add() -> Any:
        wanted = schema.read(schema.NewCustomer, json_body())
        return _with_token(network.add_customer(wanted["handle"], wanted["name"])), 201

    return practice


def _with_token(customer: User) -> dict[str, str]:
    return {"id": customer.user_id, "handle": customer.handle, "name": customer.name, "token": customer.token}
