"""What drivers tell customers when something goes wrong, in every language that we speak. Texts only."""

from __future__ import annotations

from schemas.fields import Words


def words(key: str, **values: object) -> Words:
    """The text called `key`, with each `{name}` filled in.

    Raises:
        KeyError: there is no such text.
    """
    return Words(
        **{language: text.format(**values) for language, text in zip(_LANGUAGES, _TEXTS[key], strict=True)}
    )


_LANGUAGES = ("en", "fr", "de")
_TEXTS: dict[str, tuple[str, str, str]] = {
    "not_understood": (
        "The provider did not understand what it was sent.",
        "Le fournisseur n'a pas compris ce qui lui a été envoyé.",
        "Der Anbieter hat nicht verstanden, was ihm gesendet wurde.",
    ),
    "login_refused": (
        "The provider did not accept the login. Check what you entered.",
        "Le fournisseur a refusé la connexion. Vérifiez votre saisie.",
        "Der Anbieter hat die Anmeldung nicht angenommen. Prüfen Sie Ihre Eingabe.",
    ),
    "pay_first": (
        "The provider wants the account to be paid for first.",
        "Le fournisseur demande d'abord le paiement du compte.",
        "Der Anbieter verlangt, dass das Konto erst bezahlt wird.",
    ),
    "not_allowed": (
        "The account may not do this at the provider.",
        "Le compte n'en a pas le droit chez le fournisseur.",
        "Das Konto darf dies beim Anbieter nicht.",
    ),
    "no_folder": (
        "The folder does not exist at the provider.",
        "Le dossier n'existe pas chez le fournisseur.",
        "Den Ordner gibt es beim Anbieter nicht.",
    ),
    "nothing_here": (
        "There is nothing at this address. Check its path.",
        "Il n'y a rien à cette adresse. Vérifiez son chemin.",
        "Unter dieser Adresse ist nichts. Prüfen Sie den Pfad.",
    ),
    "not_offered": (
        "The provider does not offer this at the address given.",
        "Le fournisseur ne propose pas cela à cette adresse.",
        "Der Anbieter bietet dies unter der Adresse nicht an.",
    ),
    "asks_more": (
        "The provider asks for more than your stored login. Log in again.",
        "Le fournisseur demande plus que votre connexion enregistrée. Reconnectez-vous.",
        "Der Anbieter fragt nach mehr als Ihrer gespeicherten Anmeldung. Melden Sie sich neu an.",
    ),
    "too_slow": (
        "The provider took too long. Try again later.",
        "Le fournisseur a mis trop de temps. Réessayez plus tard.",
        "Der Anbieter hat zu lange gebraucht. Versuchen Sie es später noch einmal.",
    ),
    "exists": (
        "Something of this name is there already.",
        "Ce nom est déjà pris.",
        "Etwas mit diesem Namen ist schon da.",
    ),
    "moved_on": (
        "The file was changed by somebody else.",
        "Le fichier a été modifié par quelqu'un d'autre.",
        "Die Datei wurde von jemand anderem geändert.",
    ),
    "too_large": (
        "The document is too large for the provider.",
        "Le document est trop volumineux pour le fournisseur.",
        "Das Dokument ist für den Anbieter zu groß.",
    ),
    "type_refused": (
        "The provider does not take this type of document.",
        "Le fournisseur n'accepte pas ce type de document.",
        "Der Anbieter nimmt diese Art von Dokument nicht an.",
    ),
    "refused": (
        "The provider did not take this document.",
        "Le fournisseur n'a pas accepté ce document.",
        "Der Anbieter hat dieses Dokument nicht angenommen.",
    ),
    "not_kept": (
        "The provider did not keep the file under its name.",
        "Le fournisseur n'a pas conservé le fichier sous son nom.",
        "Der Anbieter hat die Datei nicht unter ihrem Namen behalten.",
    ),
    "crowded": (
        "This folder holds more than {most} files. Move the old ones away, or choose another folder.",
        "Ce dossier contient plus de {most} fichiers. Déplacez les anciens ou choisissez un autre dossier.",
        "Dieser Ordner enthält mehr als {most} Dateien. Verschieben Sie alte, oder wählen Sie einen anderen.",
    ),
    "one_line": (
        "This must be one line, without control characters.",
        "Cela doit tenir sur une ligne, sans caractères de contrôle.",
        "Das muss eine Zeile ohne Steuerzeichen sein.",
    ),
    "cannot_look": (
        "The server takes files but does not show them. Ask it for the right to list the folder.",
        "Le serveur accepte les fichiers sans les montrer. Demandez-lui le droit de lister le dossier.",
        "Der Server nimmt Dateien an, zeigt sie aber nicht. Bitten Sie um das Recht, den Ordner zu lesen.",
    ),
    "bad_name": (
        "A file or folder name is made of signs that no target takes.",
        "Un nom de fichier ou de dossier contient des signes qu'aucune destination n'accepte.",
        "Ein Datei- oder Ordnername enthält Zeichen, die kein Ziel annimmt.",
    ),
    "locked": (
        "The file or folder is locked by somebody at the moment.",
        "Le fichier ou le dossier est verrouillé en ce moment.",
        "Die Datei oder der Ordner ist gerade gesperrt.",
    ),
    "pause": (
        "The provider asked for a pause. Try again later.",
        "Le fournisseur demande une pause. Réessayez plus tard.",
        "Der Anbieter bittet um eine Pause. Versuchen Sie es später noch einmal.",
    ),
    "no_space": (
        "There is no space left at the provider.",
        "Il n'y a plus de place chez le fournisseur.",
        "Beim Anbieter ist kein Platz mehr frei.",
    ),
    "elsewhere": (
        "The provider sends us to another address, and we do not follow. Enter the final address.",
        "Le fournisseur renvoie à une autre adresse, que nous ne suivons pas. Saisissez l'adresse finale.",
        "Der Anbieter verweist auf eine andere Adresse, der wir nicht folgen. Tragen Sie die endgültige ein.",
    ),
    "trouble": (
        "The provider has trouble of its own (status {status}). Try again later.",
        "Le fournisseur a un problème de son côté (code {status}). Réessayez plus tard.",
        "Der Anbieter hat selbst ein Problem (Status {status}). Versuchen Sie es später noch einmal.",
    ),
    "broken_off": (
        "{host} broke off or did not answer in time. Try again later.",
        "{host} a interrompu la liaison ou n'a pas répondu à temps. Réessayez plus tard.",
        "{host} hat abgebrochen oder nicht rechtzeitig geantwortet. Versuchen Sie es später noch einmal.",
    ),
    "content_changed": (
        "The document's bytes are not the ones that were announced; it was not sent.",
        "Le contenu du document n'est pas celui qui a été annoncé ; il n'a pas été envoyé.",
        "Der Inhalt des Dokuments ist nicht der angekündigte; es wurde nicht gesendet.",
    ),
    "address_refused": (
        "{host} lies in a network that we do not connect to; the operator can list it as a private one.",
        "{host} se trouve dans un réseau auquel nous n'accédons pas ; l'exploitant peut l'autoriser.",
        "{host} liegt in einem Netz, in das wir nicht gehen; der Betreiber kann es als privat eintragen.",
    ),
    "https_only": (
        "{host} must be reached by https or TLS: without, anybody could read the password on its way.",
        "{host} doit être joint en https ou TLS : sinon, le mot de passe serait lisible par tous.",
        "{host} muss per https oder TLS erreicht werden: sonst könnte jeder das Passwort mitlesen.",
    ),
    "no_smtp_tls": (
        "{host} does not offer encryption. Ask your provider for another port or kind of security.",
        "{host} ne propose pas de chiffrement. Demandez un autre port ou mode de sécurité.",
        "{host} bietet keine Verschlüsselung an. Fragen Sie nach einem anderen Port oder einer anderen Art.",
    ),
    "no_smtp_login": (
        "{host} takes no login this way. Leave user name and password empty, or choose encryption.",
        "{host} n'accepte pas de connexion ainsi. Videz les identifiants ou chiffrez.",
        "{host} nimmt so keine Anmeldung an. Lassen Sie Name und Passwort leer oder verschlüsseln Sie.",
    ),
    "no_sender": (
        "The mail server does not let this account send as this address.",
        "Le serveur de messagerie ne laisse pas ce compte envoyer depuis cette adresse.",
        "Der Mailserver lässt dieses Konto nicht unter dieser Adresse senden.",
    ),
    "no_addressee": (
        "The mail server takes nothing for this address. Check it.",
        "Le serveur de messagerie n'accepte rien pour cette adresse. Vérifiez-la.",
        "Der Mailserver nimmt für diese Adresse nichts an. Prüfen Sie sie.",
    ),
    "no_address": (
        "This is no mail address.",
        "Ceci n'est pas une adresse e-mail.",
        "Das ist keine Mailadresse.",
    ),
    "mail_interrupted": (
        "The mail may have gone. Look in the mailbox, and ask for this document again if it is not there.",
        "Le message est peut-être parti. Regardez dans la boîte et redemandez ce document s'il manque.",
        "Die Mail ging vielleicht ab. Sehen Sie im Postfach nach; fordern Sie den Beleg an, falls er fehlt.",
    ),
    "mail_unsure": (
        "{host} did not say whether it took the mail. Look in the mailbox before it is sent again.",
        "{host} n'a pas dit s'il a pris le message. Regardez dans la boîte avant de le renvoyer.",
        "{host} hat nicht gesagt, ob es die Mail nahm. Sehen Sie erst im Postfach nach.",
    ),
    "no_ftp_tls": (
        "The server wants its files to be sent in a way that this connection does not.",
        "Le serveur exige un autre mode de transfert que celui de cette connexion.",
        "Der Server verlangt eine andere Art der Übertragung als diese Verbindung.",
    ),
    "unknown_host": (
        "No server is known by the name {host}. Check its spelling, or try again later.",
        "Aucun serveur n'est connu sous le nom {host}. Vérifiez l'orthographe ou réessayez plus tard.",
        "Unter dem Namen {host} ist kein Server bekannt. Prüfen Sie ihn oder versuchen Sie es später erneut.",
    ),
    "unreachable": (
        "{host} does not answer. Check the address and its port, or try again later.",
        "{host} ne répond pas. Vérifiez l'adresse et le port, ou réessayez plus tard.",
        "{host} antwortet nicht. Prüfen Sie Adresse und Port, oder versuchen Sie es später noch einmal.",
    ),
    "untrusted": (
        "The certificate of {host} is not valid for this address, so nothing was sent.",
        "Le certificat de {host} n'est pas valable pour cette adresse ; rien n'a été envoyé.",
        "Das Zertifikat von {host} gilt nicht für diese Adresse; es wurde nichts gesendet.",
    ),
    "full_address": (
        "Enter a full address that starts with https://, without a user name in it.",
        "Saisissez une adresse complète qui commence par https://, sans nom d'utilisateur.",
        "Tragen Sie eine vollständige Adresse ein, die mit https:// beginnt, ohne Benutzernamen darin.",
    ),
    "gone": (
        "It is no longer there.",
        "Il n'y est plus.",
        "Es ist nicht mehr da.",
    ),
    "needs_tls": (
        "The server takes logins over an encrypted connection only; choose TLS.",
        "Le serveur n'accepte que les connexions chiffrées ; choisissez TLS.",
        "Der Server nimmt Anmeldungen nur verschlüsselt an; wählen Sie TLS.",
    ),
    "no_label": (
        "Name the label that mails get afterwards.",
        "Nommez le libellé que les messages reçoivent ensuite.",
        "Nennen Sie das Label, das Mails danach bekommen.",
    ),
    "no_mailbox": (
        "There is no such mailbox; choose another one.",
        "Cette boîte n'existe pas ; choisissez-en une autre.",
        "Dieses Postfach gibt es nicht; wählen Sie ein anderes.",
    ),
    "no_move_to": (
        "Choose the folder that documents are moved to afterwards.",
        "Choisissez le dossier où les documents sont déplacés ensuite.",
        "Wählen Sie den Ordner, in den Belege danach verschoben werden.",
    ),
    "file_gone": (
        "The file was there when its folder was listed, and is gone now.",
        "Le fichier était présent dans le dossier, il n'y est plus.",
        "Die Datei stand im Ordner, als er gelesen wurde, und ist jetzt fort.",
    ),
    "no_driver": (
        "{name} is not part of this release yet.",
        "{name} ne fait pas encore partie de cette version.",
        "{name} gehört noch nicht zu dieser Version.",
    ),
    "no_webdav": (
        "There is no WebDAV server at this address.",
        "Il n'y a pas de serveur WebDAV à cette adresse.",
        "Unter dieser Adresse ist kein WebDAV-Server.",
    ),
    "no_s3": (
        "There is no S3 service at this address.",
        "Il n'y a pas de service S3 à cette adresse.",
        "Unter dieser Adresse ist kein S3-Dienst.",
    ),
    "no_bucket": (
        "There is no such bucket.",
        "Ce bucket n'existe pas.",
        "Diesen Bucket gibt es nicht.",
    ),
    "other_region": (
        "The bucket lies in another region.",
        "Le bucket se trouve dans une autre région.",
        "Der Bucket liegt in einer anderen Region.",
    ),
    "no_such_key": (
        "This access key is not known, or has expired.",
        "Cette clé d'accès est inconnue ou a expiré.",
        "Dieser Zugangsschlüssel ist unbekannt oder abgelaufen.",
    ),
    "wrong_secret": (
        "The secret key does not belong to the access key.",
        "La clé secrète ne correspond pas à la clé d'accès.",
        "Der geheime Schlüssel gehört nicht zum Zugangsschlüssel.",
    ),
    "clocks": (
        "The provider's clock differs from ours.",
        "L'horloge du fournisseur diffère de la nôtre.",
        "Die Uhr des Anbieters weicht von unserer ab.",
    ),
    "other_host_key": (
        "{host} shows another key than the one that was confirmed; nothing was sent. Log in again.",
        "{host} présente une autre clé que celle confirmée ; rien n'a été envoyé. Reconnectez-vous.",
        "{host} zeigt nicht den bestätigten Schlüssel; nichts wurde gesendet. Melden Sie sich neu an.",
    ),
    "no_host_key": (
        "{host} has shown no key that was confirmed, so it cannot be recognised. Log in again.",
        "{host} n'a présenté aucune clé confirmée et ne peut être reconnu. Reconnectez-vous.",
        "{host} hat keinen bestätigten Schlüssel und ist nicht zu erkennen. Melden Sie sich neu an.",
    ),
    "not_confirmed": (
        "The server was not confirmed, so nothing was sent to it.",
        "Le serveur n'a pas été confirmé ; rien ne lui a été envoyé.",
        "Der Server wurde nicht bestätigt; es wurde ihm nichts gesendet.",
    ),
    "no_ssh": (
        "{host} knows none of the ways to connect that are safe today.",
        "{host} ne connaît aucun mode de connexion sûr aujourd'hui.",
        "{host} kennt keine der Verbindungsarten, die heute sicher sind.",
    ),
    "no_sftp": (
        "The account has no SFTP at {host}.",
        "Le compte n'a pas de SFTP chez {host}.",
        "Das Konto hat kein SFTP bei {host}.",
    ),
    "challenge_needed": (
        "The server asks for a code each time. Log in again, and store the app's secret if you wish.",
        "Le serveur demande un code à chaque fois. Reconnectez-vous, et gardez le secret si vous voulez.",
        "Der Server verlangt jedes Mal einen Code. Melden Sie sich neu an; das Geheimnis kann bleiben.",
    ),
    "wrong_passphrase": (
        "The passphrase does not open this key.",
        "La phrase secrète n'ouvre pas cette clé.",
        "Die Passphrase öffnet diesen Schlüssel nicht.",
    ),
    "no_private_key": (
        "This is no private key, or it needs its passphrase. Paste the whole file.",
        "Ce n'est pas une clé privée, ou sa phrase secrète manque. Collez le fichier entier.",
        "Das ist kein privater Schlüssel, oder seine Passphrase fehlt. Fügen Sie die ganze Datei ein.",
    ),
}
