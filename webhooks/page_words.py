"""What customers read on the private page, by language. Plain sentences; places in braces are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "title": "Go on in private",
                "ticket": "About ticket {number}",
                "intro": "Here you can write to our team without anybody else reading along. The link to this page stands where everybody can see it, "
                "so we first ask you to show that you are the one who wrote to us there.",
                "start": "Start",
                "cookie": "When you start, your browser keeps one cookie for this page, and nothing else.",
                "prove": "Show that it is you",
                "prove_1": "Reply in the thread, from the account with which you wrote to us, with this word:",
                "prove_2": "Then come back to this page, in this browser, and press the button below.",
                "prove_3": "The word is good for 30 minutes. It works for this browser alone, so it does not matter that others can read it.",
                "warning": "Never post a word that somebody else gave you: whoever gave it to you would read your conversation.",
                "check": "I have posted the word",
                "not_yet": "We have not seen the word yet. It can take a minute.",
                "proved": "You are connected. Only you, in this browser, and our team can read this.",
                "before": "You can write to our team already. Until you have shown that it is you, they cannot answer you here.",
                "written": "Written so far",
                "nothing": "Nothing yet.",
                "you": "You",
                "us": "Automatic message",
                "agent": "Our team",
                "label": "Your message",
                "hint": "Up to {most} characters. Files cannot be sent here.",
                "send": "Send",
                "reload": "Look for new messages",
                "kept": "Your message is kept and goes to our team.",
                "solved": "This ticket is solved. If something is still open, write to us: that opens it again.",
                "empty": "Please write something first.",
                "too_long": "That is too long: {length} of {most} characters. Nothing was sent; shorten it and send it again.",
                "too_many": "That was a lot within a short time. Nothing was sent; please wait a moment and send it again.",
                "stale": "The form was too old. Nothing was sent; please send it again.",
                "away": "We cannot keep your message at the moment. Nothing was sent; please send it again in a few minutes.",
                "gone_title": "This link does not lead anywhere any more",
                "gone": "It has run out, or a part of it is missing. Write to us where you wrote before, and ask for a new one.",
            }
        ),
        "de": MappingProxyType(
            {
                "title": "Privat weiterschreiben",
                "ticket": "Zu Ticket {number}",
                "intro": "Hier können Sie unserem Team schreiben, ohne dass jemand mitliest. Der Link zu dieser Seite steht dort, wo ihn alle sehen. "
                "Darum bitten wir Sie zuerst, uns zu zeigen, dass Sie es sind.",
                "start": "Beginnen",
                "cookie": "Dafür merkt sich Ihr Browser ein Cookie für diese Seite, sonst nichts.",
                "prove": "Zeigen, dass Sie es sind",
                "prove_1": "Antworten Sie im öffentlichen Gespräch, mit dem Konto, mit dem Sie uns geschrieben haben, mit diesem Wort:",
                "prove_2": "Kommen Sie dann in diesem Browser auf diese Seite zurück und drücken Sie den Knopf darunter.",
                "prove_3": "Das Wort gilt 30 Minuten und nur für diesen Browser. Es schadet also nicht, dass andere es lesen.",
                "warning": "Veröffentlichen Sie nie ein Wort, das Ihnen jemand anders gegeben hat: Diese Person würde Ihr Gespräch lesen.",
                "check": "Ich habe das Wort geschrieben",
                "not_yet": "Wir haben das Wort noch nicht gesehen. Das kann eine Minute dauern.",
                "proved": "Sie sind verbunden. Nur Sie, in diesem Browser, und unser Team können das lesen.",
                "before": "Sie können unserem Team schon schreiben. Solange Sie nicht gezeigt haben, dass Sie es sind, kann es Ihnen hier nicht antworten.",
                "written": "Bisher geschrieben",
                "nothing": "Noch nichts.",
                "you": "Sie",
                "us": "Automatische Nachricht",
                "agent": "Unser Team",
                "label": "Ihre Nachricht",
                "hint": "Bis zu {most} Zeichen. Dateien können hier nicht gesendet werden.",
                "send": "Senden",
                "reload": "Nach neuen Nachrichten sehen",
                "kept": "Ihre Nachricht ist angekommen und geht an unser Team.",
                "solved": "Dieses Ticket ist gelöst. Wenn noch etwas offen ist, schreiben Sie uns: Dann wird es wieder geöffnet.",
                "empty": "Bitte schreiben Sie zuerst etwas.",
                "too_long": "Das ist zu lang: {length} von {most} Zeichen. Es wurde nichts gesendet; bitte kürzen Sie es.",
                "too_many": "Das war sehr viel in kurzer Zeit. Es wurde nichts gesendet; bitte warten Sie einen Moment und senden Sie es noch einmal.",
                "stale": "Das Formular war zu alt. Es wurde nichts gesendet; bitte senden Sie es noch einmal.",
                "away": "Wir können Ihre Nachricht gerade nicht annehmen. Es wurde nichts gesendet; bitte senden Sie sie in ein paar Minuten noch einmal.",
                "gone_title": "Dieser Link führt nirgends mehr hin",
                "gone": "Er ist abgelaufen, oder es fehlt ein Teil. Schreiben Sie uns dort, wo Sie uns geschrieben haben, und bitten Sie um einen neuen.",
            }
        ),
    }
)
