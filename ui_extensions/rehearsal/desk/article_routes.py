"""The desk's routes for articles and their files."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, Response, g, jsonify

from ui_extensions.rehearsal.desk import shapes
from ui_extensions.rehearsal.desk.articles import add_article, set_internal
from ui_extensions.rehearsal.desk.asking import (
    ARTICLE_KEYS,
    article_values,
    asked,
    refuse_time_unit,
    refuse_unless,
    sent,
    the_row,
    the_ticket,
)
from ui_extensions.rehearsal.desk.changes import Change
from ui_extensions.rehearsal.desk.refusals import contact_administrator
from ui_extensions.rehearsal.desk.rows import Article, StoredFile, Ticket
from ui_extensions.rehearsal.desk.state import Desk

Answer = Response | tuple[Response, int]


def add_article_routes(api: Blueprint, desk: Desk, notice: Callable[[Change], None]) -> None:
    """Add them to the blueprint; `notice` is told of each change."""

    @api.post("/ticket_articles")
    def new_article() -> Answer:
        asked("expand")
        data = sent(ARTICLE_KEYS)
        with desk.writing():
            ticket = the_ticket(desk, int(data.get("ticket_id") or 0), g.user)
            values = article_values(desk, data)
            article = add_article(desk, ticket, values, g.user)
            notice(Change(ticket=ticket, by=g.user, article=article))
            refuse_time_unit(values)
            return jsonify(shapes.article_data(desk, article)), 201

    @api.get("/ticket_articles/by_ticket/<int:key>")
    def by_ticket(key: int) -> Answer:
        asked("expand")
        the_ticket(desk, key, g.user)
        with desk.lock:
            return jsonify([shapes.article_data(desk, article) for article in desk.articles_of(key)])

    @api.get("/ticket_articles/<int:key>")
    def one_article(key: int) -> Answer:
        asked("expand")
        article = the_row(desk, Article, key)
        the_ticket(desk, article.ticket_id, g.user)
        return jsonify(shapes.article_data(desk, article))

    @api.put("/ticket_articles/<int:key>")
    def change_article(key: int) -> Answer:
        asked("expand")
        data = sent(ARTICLE_KEYS)
        with desk.writing():
            article = the_row(desk, Article, key)
            the_ticket(desk, article.ticket_id, g.user)
            set_internal(desk, article, data, g.user)
            return jsonify(shapes.article_data(desk, article))

    @api.get("/ticket_attachment/<int:ticket_id>/<int:article_id>/<int:key>")
    def attachment(ticket_id: int, article_id: int, key: int) -> Answer:
        asked("view", "disposition")
        article, file = desk.get(Article, article_id), desk.get(StoredFile, key)
        if desk.get(Ticket, ticket_id) is None or article is None or file is None:
            raise contact_administrator(500)
        the_ticket(desk, ticket_id, g.user)
        refuse_unless(article.ticket_id == ticket_id and file.article_id == article_id)
        disposition = f"attachment; filename*=UTF-8''{quote(file.filename)}"
        kind = file.preferences.get("Mime-Type", "application/octet-stream")
        return Response(desk.file_content(key), content_type=kind, headers={"Content-Disposition": disposition})
