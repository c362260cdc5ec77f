"""The stand-in over HTTP: what each path wants, does and refuses.

Sources: LinkedIn Marketing API, "Comments API", "Posts API", "Social Metadata API", "Images API", "Organization Social Action Notifications".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from flask import Response, request

from plugin.contracts.signing import sign
from plugin.testing.standins.closed import checked, sent_json
from plugin.testing.standins.linkedin.refusals import check_headers, check_length, invalid, listed_ids, millis, paged, refused
from plugin.testing.standins.linkedin.world import ADMIN, PAGE, Said, World
from plugin.testing.standins.serving import Json, Refusal, StandIn
from plugin.testing.standins.signing_in import SignIns

ORGANIZATION_ID, APPLICATION_ID = "2414183", "86112233"
CLIENT_ID, CLIENT_SECRET = "77example0client", "WPL_AP1.not.a.real.secret"
VERSION = "202609"
SCOPES = (
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
    "rw_organization_admin",
)
NOTICES = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
_DAY = 86_400
_KEY = re.compile(r"\(developerApplication:([^,]+),user:([^,]+),entity:([^,]+),eventType:([A-Z_]+)\)\Z")


class LinkedInStandIn(StandIn):
    """One page's view of LinkedIn, and what there is in it: `world`."""

    def __init__(self, *, now: Callable[[], float] = time.time, page: int = 100) -> None:
        super().__init__("linkedin", now=now)
        self.signing_in = SignIns(
            CLIENT_ID, CLIENT_SECRET, now, has_pkce=False, separator=",", lifetime=60 * _DAY, renewal_lifetime=365 * _DAY
        )
        self.world = World(now)
        self.subscriptions: dict[tuple[str, ...], Json] = {}
        self.role = "ADMINISTRATOR"
        self.takes_pictures = True
        self._page = page
        self.serve("POST", "/oauth/v2/accessToken", self.signing_in.answer)
        self.serve("PUT", "/dms-uploads/<name>", self._put)
        self._as("GET", "organizationAcls", "rw_organization_admin", self._roles)
        self._as("GET", "organizations/<number>", "rw_organization_admin", self._organization)
        self._as("GET", "people/<key>", "r_organization_social", self._person)
        self._as("GET", "posts", "r_organization_social", self._listed_posts)
        self._as("GET", "socialMetadata", "r_organization_social_feed", self._metadata)
        self._as("GET", "socialActions/<urn>/comments", "r_organization_social_feed", self._listed)
        self._as("POST", "socialActions/<urn>/comments", "w_organization_social_feed", self._create)
        self._as("GET", "socialActions/<urn>/comments/<number>", "r_organization_social_feed", self._one)
        self._as("POST", "socialActions/<urn>/comments/<number>", "w_organization_social_feed", self._edit)
        self._as("DELETE", "socialActions/<urn>/comments/<number>", "w_organization_social_feed", self._delete)
        self._as("GET", "reactions/<key>", "r_organization_social_feed", self._reactions)
        self._as("POST", "images", "w_organization_social", self._initialize)
        self._as("GET", "organizationalEntityNotifications", "rw_organization_admin", self._noticed)
        self._as("GET", "eventSubscriptions/<key>", "rw_organization_admin", self._subscription)
        self._as("PUT", "eventSubscriptions/<key>", "rw_organization_admin", self._subscribe)

    def too_many(self, seconds: float) -> Refusal:
        """LinkedIn counts by the day and says nothing of when it goes on."""
        del seconds
        return refused(429, "TOO_MANY_REQUESTS", "Resource level throttle APPLICATION DAY limit for calls to this resource is reached.")

    def delivery(self, *notices: Json, secret: str = CLIENT_SECRET) -> tuple[dict[str, str], bytes]:
        """What LinkedIn's webhook would send: headers and body, signed. The last notice where none is given."""
        body = json.dumps({"type": NOTICES, "notifications": list(notices) or self.world.notices[-1:]}).encode()
        return {"content-type": "application/json", "x-li-signature": sign(secret, b"hmacsha256=", body)}, body

    def _as(self, method: str, path: str, scope: str, do: Callable[..., Any]) -> None:
        def act(**found: str) -> Any:
            check_headers()
            self.signing_in.check(
                scope,
                unauthorized=refused(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
                missing=lambda _: refused(403, "ACCESS_DENIED", f"Not enough permissions to access: {path.partition('/')[0]}.{method}"),
            )
            return do(**found)

        self.serve(method, f"/rest/{path}", act)

    def _roles(self) -> Json:
        checked(request.args, {"q!": str, "start": str, "count": str}, invalid)
        told = {"role": self.role, "organization": PAGE, "roleAssignee": ADMIN, "state": "APPROVED"}
        return paged([told] if self.role else [], self._page)

    def _organization(self, number: str) -> Json:
        return {"id": int(number), "localizedName": "Example Rail", "vanityName": "example-rail"}

    def _person(self, key: str) -> Json:
        return {"id": key[4:-1], "localizedFirstName": "Lena", "localizedLastName": "Marsh", "vanityName": "lena-marsh"}

    def _listed_posts(self) -> Json:
        given = checked(request.args, {"q!": str, "author!": str, "sortBy": str, "start": str, "count": str}, invalid)
        if given["author"] != PAGE or given["q"] != "author":
            raise refused(403, "UNAUTHORIZED", f"member is unauthorized on {given['author']}")
        ours = sorted((one for one in self.world.posts.values() if one["author"] == PAGE), key=lambda one: one["changed"], reverse=True)
        shown = [{"id": one["id"], "author": one["author"], "commentary": one["commentary"], "lifecycleState": "PUBLISHED"} for one in ours]
        return paged(shown, self._page)

    def _metadata(self) -> Json:
        shown = {one: self.world.summary(one) for one in listed_ids()}
        return {"results": {one: told for one, told in shown.items() if told is not None}, "statuses": {}, "errors": {}}

    def _listed(self, urn: str) -> Json:
        if "ids" in request.args:
            checked(request.args, {"ids!": str}, invalid)
            activity = self.world.readable(urn)
            found = {one: said for one in listed_ids() if (said := self.world.comments.get(f"urn:li:comment:({activity},{one})"))}
            return {"results": {one: self.world.shown(said) for one, said in found.items()}, "statuses": {}, "errors": {}}
        checked(request.args, {"start": str, "count": str}, invalid)
        if urn in self.world.comments:
            return paged([self.world.shown(one) for one in self.world.comments.values() if one.parent == urn], self._page)
        activity = self.world.readable(urn)
        return paged([self.world.shown(one) for one in self.world.comments.values() if one.post == activity and not one.parent], self._page)

    def _one(self, urn: str, number: str) -> Json:
        checked(request.args, {}, invalid)
        return self.world.shown(self.world.found(self.world.readable(urn), number))

    def _create(self, urn: str) -> Response:
        checked(request.args, {}, invalid)
        shape = {"actor!": str, "object!": str, "message!": {"text!": str, "attributes": list}, "parentComment": str, "content": list}
        given = checked(sent_json(invalid), shape, invalid)
        if given["actor"] != PAGE:
            raise refused(403, "UNAUTHORIZED", "member is not an administrator of the actor")
        parent = given.get("parentComment", "")
        if urn not in self.world.comments and self.world.activity(urn) not in self.world.posts:
            raise refused(404, "NOT_FOUND", f"Received error for {urn} from domain authorization endpoint: 404")
        if (urn in self.world.comments) != bool(parent) or (parent and (urn != parent or self.world.comments[urn].parent)):
            raise invalid("parentComment must be the first-level comment of the thread")
        activity = self.world.comments[urn].post if parent else self.world.activity(urn)
        if self.world.posts[activity]["state"] == "CLOSED":
            raise refused(403, "COMMENTS_CLOSED", "Comments are disabled on this thread")
        pictures = self._content(given.get("content", []))
        text = given["message"]["text"]
        if not text.strip() and not pictures:
            raise invalid("message.text must not be empty")
        check_length(text)
        said = self.world.comments[self.world.say(PAGE, text, post=activity, below=parent)]
        said.pictures += pictures
        answer = Response(json.dumps(self.world.shown(said)), status=201, mimetype="application/json")
        answer.headers["x-restli-id"] = said.id
        return answer

    def _edit(self, urn: str, number: str) -> None:
        if request.headers.get("x-restli-method", "").upper() != "PARTIAL_UPDATE":
            raise refused(400, "ILLEGAL_ARGUMENT", "Resource method could not be resolved from request parameters.")
        shape = {"patch!": {"message!": {"$set!": {"text!": str, "attributes": list}}}}
        given = checked(sent_json(invalid), shape, invalid)
        said = self._own(urn, number)
        text = given["patch"]["message"]["$set"]["text"]
        check_length(text)
        said.text, said.changed = text, self.now()

    def _delete(self, urn: str, number: str) -> None:
        self.world.remove(self._own(urn, number).urn, tells=False)

    def _own(self, urn: str, number: str) -> Said:
        given = checked(request.args, {"actor!": str}, invalid)
        said = self.world.found(self.world.activity(urn), number)
        if given["actor"] != PAGE or said.author != PAGE:
            raise refused(403, "UNAUTHORIZED", "Actor is not the author of the comment")
        return said

    def _reactions(self, key: str) -> Json:
        given = checked(request.args, {"q!": str, "sort!": str, "start": str, "count": str}, invalid)
        urn = key.removeprefix("(entity:").removesuffix(")")
        if given["q"] != "entity" or given["sort"] != "(value:REVERSE_CHRONOLOGICAL)" or urn not in self.world.comments:
            raise refused(404, "NOT_FOUND", "Entity not found")
        listed = [
            {"id": f"urn:li:reaction:({who},{urn})", "created": {"actor": who, "time": millis(at)}, "reactionType": kind, "root": urn}
            for who, kind, at in reversed(self.world.comments[urn].reactions)
        ]
        return paged(listed, self._page)

    def _initialize(self) -> Json:
        checked(request.args, {"action!": str}, invalid)
        given = checked(sent_json(invalid), {"initializeUploadRequest!": {"owner!": str}}, invalid)
        if request.args["action"] != "initializeUpload" or given["initializeUploadRequest"]["owner"] != PAGE:
            raise refused(403, "UNAUTHORIZED", "Organization permissions must be used when using organization as owner")
        urn = self.world.picture(b"")
        return {"value": {"uploadUrl": f"{self.url}/dms-uploads/{urn[13:]}", "image": urn, "uploadUrlExpiresAt": millis(self.now() + 3600)}}

    def _put(self, name: str) -> Response:
        self.signing_in.check(
            unauthorized=refused(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"), missing=invalid
        )
        if not request.mimetype.startswith("image/") or f"urn:li:image:{name}" not in self.world.pictures:
            raise invalid("No such upload")
        self.world.pictures[f"urn:li:image:{name}"] = request.get_data()
        return Response(status=201)

    def _noticed(self) -> Json:
        allowed = {"q!": str, "actions!": str, "organizationalEntity!": str, "timeRange": str, "start": str, "count": str}
        given = checked(request.args, allowed, invalid)
        span = re.match(r"\(start:(\d+),end:(\d+)\)\Z", given.get("timeRange", "(start:0,end:99999999999999)"))
        if given["q"] != "criteria" or given["organizationalEntity"] != PAGE or span is None:
            raise invalid("Resource method could not be resolved from request parameters.")
        actions = given["actions"].removeprefix("List(").removesuffix(")").split(",")
        found = [one for one in self.world.notices if one["action"] in actions and int(span[1]) <= one["lastModifiedAt"] <= int(span[2])]
        return paged(found, self._page)

    def _subscription(self, key: str) -> Json:
        found = self.subscriptions.get(_subscription_key(key))
        if found is None:
            raise refused(404, "NOT_FOUND", "No subscription")
        return found

    def _subscribe(self, key: str) -> None:
        given = checked(sent_json(invalid), {"webhook!": str}, invalid)
        if not given["webhook"].startswith("https://"):
            raise invalid("Only HTTPS webhooks are supported")
        self.subscriptions[_subscription_key(key)] = {"webhook": given["webhook"], "expiresAt": millis(self.now() + 30 * _DAY)}

    def _content(self, given: list[Json]) -> list[str]:
        if given and not self.takes_pictures:
            raise refused(403, "ACCESS_DENIED_FIELDS", "Unpermitted fields present in REQUEST_BODY: Data Processing Exception: [/content]")
        found = [checked(one, {"entity!": {"image!": str}}, invalid)["entity"]["image"] for one in given]
        if len(found) > 1 or any(not self.world.pictures.get(one) for one in found):
            raise invalid("content must hold one picture that was uploaded")
        return found


def _subscription_key(key: str) -> tuple[str, ...]:
    found = _KEY.match(key)
    if found is None or found.groups()[1:] != (ADMIN, PAGE, NOTICES):
        raise refused(403, "ACCESS_DENIED", "Member is not authorized to subscribe to this entity")
    return found.groups()
