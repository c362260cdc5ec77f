"""What people write to companies, from one seed: English, German and some French, of one to eight sentences, no two alike.

One in four brings what makes detection work: numbers of orders, phones, cards and accounts, dates, prices, addresses of mail and web, smileys.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_GREETINGS = ("", "", "Hi", "Hello there", "Hey @acme", "@acme", "Guten Tag", "Hallo", "Hallo @acme", "Good morning", "Bonjour")
_ENGLISH = (
    "my parcel has not arrived yet",
    "the app crashes every time I open it",
    "I was charged twice for my order",
    "how do I reset my account",
    "your support line keeps me waiting for hours",
    "this is the worst service I have ever seen",
    "could you please check the status of my delivery",
    "the new update is great, thank you so much",
    "I still have no internet since yesterday evening",
    "is there an outage in the north of the city",
    "where can I find the invoice for last month",
    "I would like to cancel my contract by the end of the month",
    "the technician did not show up today",
    "can I get a refund for the broken headset",
    "it works again, thanks",
    "nobody answers my mails, I am really angry",
    "what are your opening hours on Saturday",
    "I've tried everything you suggested and nothing helps",
    "the website shows an error when I log in",
    "please call me back as soon as possible",
)
_GERMAN = (
    "mein Paket ist noch nicht angekommen",
    "die App stürzt jedes Mal beim Öffnen ab",
    "mir wurde der Betrag doppelt abgebucht",
    "wie kann ich mein Passwort zurücksetzen",
    "die Hotline ist seit Stunden nicht erreichbar",
    "das ist der schlechteste Service, den ich je erlebt habe",
    "könnten Sie bitte den Stand meiner Lieferung prüfen",
    "seit gestern Abend habe ich kein Internet mehr",
    "gibt es gerade eine Störung in Hamburg",
    "wo finde ich die Rechnung für den letzten Monat",
    "ich möchte meinen Vertrag zum Monatsende kündigen",
    "der Techniker ist heute nicht gekommen",
    "vielen Dank, jetzt geht es wieder",
)
_FRENCH = (
    "je n'ai toujours pas reçu mon colis",
    "l'application ne marche plus depuis hier",
    "pouvez-vous m'aider avec ma facture s'il vous plaît",
)
_ANSWERS = (
    "Hello {name}, thank you for writing. Please send us your order number in a private message, then we look into it.",
    "Hallo {name}, das tut uns leid! Bitte schicken Sie uns die Bestellnummer per Direktnachricht.",
    "We have found the mistake, {name}. It will be corrected by tomorrow, and you get a new invoice. - Ada",
    "Have you tried to switch it off and on again, {name}? If it still hums, see https://help.example.org/{number}",
    "Vielen Dank für Ihre Geduld, {name}. Der Vorgang {number} ist erledigt, und die Gutschrift ist unterwegs.",
)
_TAILS: tuple[tuple[int, Callable[[Random], str]], ...] = (
    (760, lambda _: ""),
    (50, lambda dice: f" order {dice.randrange(10**7, 10**8)}"),
    (40, lambda dice: f" my number is 0{dice.randrange(150, 180)} {dice.randrange(10**6, 10**8)}"),
    (30, lambda dice: f" {dice.choice(('ref', 'case', 'ticket'))} #{dice.randrange(1000, 99999)} of {dice.randrange(1, 29):02}.06.2026"),
    (50, lambda dice: f" see https://www.example.org/p/{dice.randrange(10**5)}?x={dice.randrange(999)}"),
    (15, lambda dice: f" my mail is max.{dice.randrange(999)}@example.net"),
    (5, lambda _: " card 4111 1111 1111 1111"),
    (5, lambda _: " IBAN DE89370400440532013000"),
    (5, lambda dice: f" my password is Hund{dice.randrange(999)}!"),
    (20, lambda dice: f" since {dice.randrange(1, 28)}/{dice.randrange(1, 12)}, it cost {dice.randrange(10, 900)},90 €"),
    (20, lambda dice: f" +49 30 {dice.randrange(10**6, 10**8)}"),
)
_SMILEYS = ("", "", "", "", "", "", " 😡😡", " 👍", " #fail", " :(", " ;-)")


def asked(dice: Random) -> str:
    """What a customer writes."""
    (sentences,) = dice.choices((_ENGLISH, _GERMAN, _FRENCH), (70, 25, 5))
    (count,) = dice.choices((1, 2, 3, 5, 8), (30, 35, 20, 10, 5))
    said = dice.choice((". ", "! ", "? ", " and ", " - ", ", ")).join(dice.choice(sentences) for _ in range(count)).split()
    said.insert(dice.randrange(len(said) + 1), dice.choice(("really", "again", "now", f"Kettle{dice.randrange(9999)}", "maybe", "please")))
    (tail,) = dice.choices([tail for _, tail in _TAILS], [weight for weight, _ in _TAILS])
    return f"{dice.choice(_GREETINGS)} {' '.join(said)}{tail(dice)}{dice.choice(_SMILEYS)}".strip()


def answered(dice: Random) -> str:
    """What an agent answers."""
    name = f"{dice.choice(('Maria', 'Tom', 'Jens', 'Aylin', 'Ben'))} {dice.choice('ABCDEFGHKLMNPRSTW')}."
    return dice.choice(_ANSWERS).format(name=name, number=dice.randrange(1000, 99999))
