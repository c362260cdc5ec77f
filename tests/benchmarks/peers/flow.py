"""The Node-RED flow: take the delivery, answer, forget what was seen, look up, open or append. In memory: what it takes is lost with it."""

from __future__ import annotations

from typing import Any

_DEDUPE = """
const seen = flow.get('seen') || new Set();
if (seen.has(msg.payload.id)) { return null; }
seen.add(msg.payload.id);
flow.set('seen', seen);
msg.said = msg.payload;
msg.method = 'GET';
msg.url = '%(stub)s/lookup/' + encodeURIComponent(msg.said.from);
msg.payload = undefined;
return msg;
"""
_WRITE = """
const ticket = msg.payload.id;
msg.method = 'POST';
msg.headers = {'content-type': 'application/json'};
msg.url = ticket === null ? '%(stub)s/tickets' : '%(stub)s/tickets/' + ticket + '/articles';
msg.payload = {key: msg.said.from, title: msg.said.text.slice(0, 80), text: msg.said.text};
return msg;
"""


def nodes(stub: str) -> list[dict[str, Any]]:
    """`flows.json`."""
    return [
        {"id": "tab", "type": "tab", "label": "bridge"},
        {"id": "in", "type": "http in", "z": "tab", "url": "/in", "method": "post", "wires": [["answer", "dedupe"]]},
        {"id": "answer", "type": "http response", "z": "tab", "statusCode": "200", "wires": []},
        {"id": "dedupe", "type": "function", "z": "tab", "func": _DEDUPE % {"stub": stub}, "outputs": 1, "wires": [["look"]]},
        {"id": "look", "type": "http request", "z": "tab", "method": "use", "ret": "obj", "persist": True, "wires": [["write"]]},
        {"id": "write", "type": "function", "z": "tab", "func": _WRITE % {"stub": stub}, "outputs": 1, "wires": [["send"]]},
        {"id": "send", "type": "http request", "z": "tab", "method": "use", "ret": "obj", "persist": True, "wires": [[]]},
    ]
