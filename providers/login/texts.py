"""What login steps say by themselves where a manifest says nothing, in every language. Texts only."""

from __future__ import annotations

from schemas.fields import Words
from schemas.reasons import Reason

TITLES = {
    "credentials": Words(en="Log in to {name}", fr="Connexion à {name}", de="Bei {name} anmelden"),
    "code_sent": Words(en="Enter the code", fr="Saisissez le code", de="Code eingeben"),
    "code_offline": Words(en="Enter your code", fr="Saisissez votre code", de="Ihr Code"),
    "question": Words(
        en="{name} has a question", fr="{name} pose une question", de="{name} stellt eine Frage"
    ),
    "captcha_image": Words(
        en="Type what you see", fr="Recopiez ce que vous voyez", de="Schreiben Sie ab, was Sie sehen"
    ),
    "action_on_site": Words(
        en="{name} needs something from you",
        fr="{name} attend quelque chose de vous",
        de="{name} braucht etwas von Ihnen",
    ),
    "select": Words(en="Please choose", fr="Veuillez choisir", de="Bitte wählen Sie"),
    "approve_elsewhere": Words(
        en="Approve the login", fr="Approuvez la connexion", de="Bestätigen Sie die Anmeldung"
    ),
}
MESSAGES = {
    "credentials": Words(
        en="Fill in what {name} gave you.",
        fr="Saisissez ce que {name} vous a communiqué.",
        de="Tragen Sie ein, was {name} Ihnen gegeben hat.",
    ),
    "code_sent": Words(
        en="{name} has just sent you a code. Only the newest one counts.",
        fr="{name} vient de vous envoyer un code. Seul le plus récent compte.",
        de="{name} hat Ihnen soeben einen Code gesendet. Nur der neueste gilt.",
    ),
    "code_offline": Words(
        en="Take it from your authenticator app, your card or your list.",
        fr="Prenez-le dans votre application d'authentification, sur votre carte ou votre liste.",
        de="Nehmen Sie ihn aus Ihrer Authentifizierungs-App, von Ihrer Karte oder Ihrer Liste.",
    ),
    "question": Words(en="Please answer it.", fr="Veuillez y répondre.", de="Bitte beantworten Sie sie."),
    "captcha_image": Words(
        en="{name} wants to know that you are a person.",
        fr="{name} veut savoir que vous êtes une personne.",
        de="{name} möchte wissen, dass Sie ein Mensch sind.",
    ),
    "action_on_site": Words(
        en="Settle it at {name}, then come back and go on here.",
        fr="Réglez cela chez {name}, puis revenez et continuez ici.",
        de="Erledigen Sie es bei {name} und machen Sie dann hier weiter.",
    ),
    "select": Words(
        en="{name} offers more than one.", fr="{name} en propose plusieurs.", de="{name} bietet mehrere an."
    ),
    "approve_elsewhere": Words(
        en="{name} asks you to approve this login on another device. The page goes on by itself.",
        fr="{name} vous demande d'approuver la connexion sur un autre appareil. La page suit d'elle-même.",
        de="Bestätigen Sie die Anmeldung bei {name} auf einem anderen Gerät. Danach geht es hier weiter.",
    ),
}
REFUSED = {
    Reason.CREDENTIALS_WRONG: Words(
        en="{name} did not accept this. Check what you entered.",
        fr="{name} n'a pas accepté cela. Vérifiez votre saisie.",
        de="{name} hat das nicht angenommen. Prüfen Sie Ihre Eingabe.",
    ),
    Reason.LOCKED: Words(
        en="{name} has locked this account. Unlock it there first.",
        fr="{name} a bloqué ce compte. Débloquez-le d'abord chez lui.",
        de="{name} hat dieses Konto gesperrt. Entsperren Sie es zuerst dort.",
    ),
    Reason.RATE_LIMITED: Words(
        en="{name} asks for a pause. Try again in a while.",
        fr="{name} demande une pause. Réessayez dans un moment.",
        de="{name} bittet um eine Pause. Versuchen Sie es etwas später.",
    ),
    Reason.PROVIDER_DOWN: Words(
        en="{name} has trouble of its own. Try again later.",
        fr="{name} a un problème de son côté. Réessayez plus tard.",
        de="{name} hat selbst ein Problem. Versuchen Sie es später.",
    ),
    Reason.CANCELLED: Words(
        en="The login was refused on the other device. Start again to approve it.",
        fr="La connexion a été refusée sur l'autre appareil. Recommencez pour l'approuver.",
        de="Die Anmeldung wurde auf dem anderen Gerät abgelehnt. Beginnen Sie neu, um sie zu erlauben.",
    ),
    Reason.SESSION_EXPIRED: Words(
        en="{name} has ended this login. Please begin again.",
        fr="{name} a mis fin à cette connexion. Veuillez recommencer.",
        de="{name} hat diese Anmeldung beendet. Bitte beginnen Sie von vorn.",
    ),
    Reason.ACTION_ON_SITE: Words(
        en="{name} wants you to settle something on its site first.",
        fr="{name} vous demande d'abord de régler quelque chose sur son site.",
        de="{name} verlangt, dass Sie zuerst etwas auf seiner Seite erledigen.",
    ),
    Reason.PASSWORD_EXPIRED: Words(
        en="Your password at {name} has expired. Change it there first.",
        fr="Votre mot de passe chez {name} a expiré. Changez-le d'abord chez lui.",
        de="Ihr Passwort bei {name} ist abgelaufen. Ändern Sie es zuerst dort.",
    ),
}
NOT_UNDERSTOOD = Words(
    en="{name} answered in a way that we do not know. Please contact support.",
    fr="{name} a répondu d'une façon que nous ne connaissons pas. Contactez l'assistance.",
    de="{name} hat auf eine Weise geantwortet, die wir nicht kennen. Wenden Sie sich an den Support.",
)
NO_PICTURE = Words(
    en="The provider sent no picture that can be shown. Please try again.",
    fr="Le fournisseur n'a envoyé aucune image affichable. Veuillez réessayer.",
    de="Der Anbieter hat kein Bild gesendet, das gezeigt werden kann. Bitte versuchen Sie es erneut.",
)
APP_SECRET = Words(en="Secret of the app", fr="Secret de l'application", de="Geheimnis der App")
APP_SECRET_HELP = Words(
    en="Only if documents shall move while you are away: the text below the QR code, or its address.",
    fr="Seulement si les documents doivent circuler sans vous : le texte sous le QR code, ou son adresse.",
    de="Nur wenn Dokumente ohne Sie übertragen werden sollen: der Text unter dem QR-Code oder seine Adresse.",
)
NOTHING_TO_CHOOSE = Words(
    en="{name} offers nothing to choose for this account. Log in with another one.",
    fr="{name} ne propose rien à choisir pour ce compte. Connectez-vous avec un autre.",
    de="{name} bietet für dieses Konto nichts zur Auswahl an. Melden Sie sich mit einem anderen an.",
)


def refused(reason: Reason) -> Words:
    """What is said of a refusal."""
    return REFUSED.get(reason, NOT_UNDERSTOOD)
