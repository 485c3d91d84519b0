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
        "The provider did not understand what it was sent. Please contact support.",
        "Le fournisseur n'a pas compris ce qui lui a été envoyé. Contactez l'assistance.",
        "Der Anbieter hat nicht verstanden, was ihm gesendet wurde. Wenden Sie sich an den Support.",
    ),
    "login_refused": (
        "The provider did not accept the login. Check what you entered.",
        "Le fournisseur a refusé la connexion. Vérifiez votre saisie.",
        "Der Anbieter hat die Anmeldung nicht angenommen. Prüfen Sie Ihre Eingabe.",
    ),
    "pay_first": (
        "The provider wants the account to be paid for first. Settle this on its site.",
        "Le fournisseur demande d'abord le paiement du compte. Réglez cela sur son site.",
        "Der Anbieter verlangt, dass das Konto erst bezahlt wird. Klären Sie dies auf seiner Seite.",
    ),
    "not_allowed": (
        "The account may not do this at the provider. Give it the right, or choose another place.",
        "Le compte n'en a pas le droit chez le fournisseur. Accordez-le, ou choisissez un autre lieu.",
        "Das Konto darf dies beim Anbieter nicht. Geben Sie ihm das Recht, oder wählen Sie einen anderen.",
    ),
    "no_folder": (
        "The folder does not exist at the provider. Create it there, or choose another one.",
        "Le dossier n'existe pas chez le fournisseur. Créez-le, ou choisissez-en un autre.",
        "Den Ordner gibt es beim Anbieter nicht. Legen Sie ihn dort an, oder wählen Sie einen anderen.",
    ),
    "nothing_here": (
        "There is nothing at this address. Check its path.",
        "Il n'y a rien à cette adresse. Vérifiez son chemin.",
        "Unter dieser Adresse ist nichts. Prüfen Sie den Pfad.",
    ),
    "not_offered": (
        "The provider does not offer this at the address given. Check the address.",
        "Le fournisseur ne propose pas cela à cette adresse. Vérifiez l'adresse.",
        "Der Anbieter bietet dies unter der Adresse nicht an. Prüfen Sie die Adresse.",
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
        "Something of this name is there already. Rename it, or choose another folder.",
        "Ce nom est déjà pris. Renommez ce qui s'y trouve, ou choisissez un autre dossier.",
        "Etwas mit diesem Namen ist schon da. Benennen Sie es um, oder wählen Sie einen anderen Ordner.",
    ),
    "moved_on": (
        "The file was changed by somebody else. Look at it, and ask for this document again.",
        "Le fichier a été modifié par quelqu'un d'autre. Regardez-le, et redemandez ce document.",
        "Die Datei wurde von jemand anderem geändert. Sehen Sie nach, und fordern Sie den Beleg neu an.",
    ),
    "too_large": (
        "The document is too large for the provider. Make it smaller, or hand it in another way.",
        "Le document est trop volumineux pour le fournisseur. Réduisez-le, ou remettez-le autrement.",
        "Das Dokument ist für den Anbieter zu groß. Verkleinern Sie es, oder geben Sie es anders ab.",
    ),
    "type_refused": (
        "The provider does not take this type of document. Send it as another type, such as PDF.",
        "Le fournisseur n'accepte pas ce type de document. Envoyez-le sous un autre type, tel que PDF.",
        "Der Anbieter nimmt diese Art von Dokument nicht an. Senden Sie eine andere, etwa PDF.",
    ),
    "refused": (
        "The provider did not take this document. Look at it, or ask the provider why.",
        "Le fournisseur n'a pas accepté ce document. Regardez-le, ou demandez-lui pourquoi.",
        "Der Anbieter hat dieses Dokument nicht angenommen. Sehen Sie es an, oder fragen Sie ihn.",
    ),
    "not_kept": (
        "The provider did not keep the file under its name. Choose another pattern for names.",
        "Le fournisseur n'a pas conservé le fichier sous son nom. Choisissez un autre modèle de noms.",
        "Der Anbieter hat die Datei nicht unter ihrem Namen behalten. Wählen Sie ein anderes Namensmuster.",
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
        "A file or folder name is made of signs that no target takes. Choose another name.",
        "Un nom de fichier ou de dossier contient des signes qu'aucune destination n'accepte. Changez-le.",
        "Ein Datei- oder Ordnername enthält Zeichen, die kein Ziel annimmt. Wählen Sie einen anderen.",
    ),
    "locked": (
        "The file or folder is locked by somebody at the moment. Close it; we try again by ourselves.",
        "Le fichier ou le dossier est verrouillé en ce moment. Fermez-le ; nous réessayons ensuite.",
        "Die Datei oder der Ordner ist gerade gesperrt. Schließen Sie sie; wir versuchen es dann erneut.",
    ),
    "pause": (
        "The provider asked for a pause. Try again later.",
        "Le fournisseur demande une pause. Réessayez plus tard.",
        "Der Anbieter bittet um eine Pause. Versuchen Sie es später noch einmal.",
    ),
    "no_space": (
        "There is no space left at the provider. Make room there; we go on by ourselves.",
        "Il n'y a plus de place chez le fournisseur. Libérez-en ; nous continuerons ensuite.",
        "Beim Anbieter ist kein Platz mehr frei. Schaffen Sie Platz; danach geht es von selbst weiter.",
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
        "The document's bytes are not the ones that were announced; it was not sent. Announce it anew.",
        "Le contenu du document n'est pas celui annoncé ; il n'a pas été envoyé. Annoncez-le à nouveau.",
        "Der Inhalt des Dokuments ist nicht der angekündigte; nichts ging ab. Kündigen Sie es neu an.",
    ),
    "address_refused": (
        "{host} lies in a network that we do not go to. Check the address, or ask the operator to list it.",
        "{host} est dans un réseau où nous n'allons pas. Vérifiez l'adresse, ou demandez à l'exploitant.",
        "{host} liegt in einem Netz, in das wir nicht gehen. Prüfen Sie sie, oder fragen Sie den Betreiber.",
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
        "The mail server does not let this account send as this address. Enter the account's own.",
        "Le serveur ne laisse pas ce compte envoyer depuis cette adresse. Saisissez celle du compte.",
        "Der Mailserver lässt dieses Konto nicht unter dieser Adresse senden. Nehmen Sie die des Kontos.",
    ),
    "no_addressee": (
        "The mail server takes nothing for this address. Check it.",
        "Le serveur de messagerie n'accepte rien pour cette adresse. Vérifiez-la.",
        "Der Mailserver nimmt für diese Adresse nichts an. Prüfen Sie sie.",
    ),
    "no_address": (
        "This is no mail address. Enter one such as jane@example.org.",
        "Ceci n'est pas une adresse e-mail. Saisissez-en une, telle que jane@example.org.",
        "Das ist keine Mailadresse. Tragen Sie eine ein, etwa jane@example.org.",
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
        "The server wants files to be sent in another way. Choose another kind of security.",
        "Le serveur exige un autre mode de transfert. Choisissez un autre mode de sécurité.",
        "Der Server verlangt eine andere Art der Übertragung. Wählen Sie eine andere Sicherheit.",
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
        "The certificate of {host} is not valid for this address; nothing was sent. Check the address.",
        "Le certificat de {host} ne vaut pas pour cette adresse ; rien n'est parti. Vérifiez l'adresse.",
        "Das Zertifikat von {host} gilt nicht für diese Adresse; nichts ging ab. Prüfen Sie die Adresse.",
    ),
    "full_address": (
        "Enter a full address that starts with https://, without a user name in it.",
        "Saisissez une adresse complète qui commence par https://, sans nom d'utilisateur.",
        "Tragen Sie eine vollständige Adresse ein, die mit https:// beginnt, ohne Benutzernamen darin.",
    ),
    "gone": (
        "It is no longer there. Put it back if it was needed.",
        "Il n'y est plus. Remettez-le s'il était utile.",
        "Es ist nicht mehr da. Legen Sie es zurück, falls es gebraucht wird.",
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
        "The file was there when its folder was listed, and is gone now. Put it back if it was needed.",
        "Le fichier était présent dans le dossier, il n'y est plus. Remettez-le s'il était utile.",
        "Die Datei stand eben im Ordner und ist jetzt fort. Legen Sie sie zurück, falls sie gebraucht wird.",
    ),
    "no_driver": (
        "{name} is not part of this release yet. Choose another provider.",
        "{name} ne fait pas encore partie de cette version. Choisissez un autre fournisseur.",
        "{name} gehört noch nicht zu dieser Version. Wählen Sie einen anderen Anbieter.",
    ),
    "no_webdav": (
        "There is no WebDAV server at this address. Check its path.",
        "Il n'y a pas de serveur WebDAV à cette adresse. Vérifiez son chemin.",
        "Unter dieser Adresse ist kein WebDAV-Server. Prüfen Sie den Pfad.",
    ),
    "no_s3": (
        "There is no S3 service at this address. Check it.",
        "Il n'y a pas de service S3 à cette adresse. Vérifiez-la.",
        "Unter dieser Adresse ist kein S3-Dienst. Prüfen Sie sie.",
    ),
    "no_bucket": (
        "There is no such bucket. Check its name, or create it.",
        "Ce bucket n'existe pas. Vérifiez son nom, ou créez-le.",
        "Diesen Bucket gibt es nicht. Prüfen Sie den Namen, oder legen Sie ihn an.",
    ),
    "other_region": (
        "The bucket lies in another region. Enter the region that it was made in.",
        "Le bucket se trouve dans une autre région. Saisissez celle où il a été créé.",
        "Der Bucket liegt in einer anderen Region. Tragen Sie die ein, in der er angelegt wurde.",
    ),
    "no_such_key": (
        "This access key is not known, or has expired. Check it, or make a new one.",
        "Cette clé d'accès est inconnue ou a expiré. Vérifiez-la, ou créez-en une.",
        "Dieser Zugangsschlüssel ist unbekannt oder abgelaufen. Prüfen Sie ihn, oder erzeugen Sie einen.",
    ),
    "wrong_secret": (
        "The secret key does not belong to the access key. Check both.",
        "La clé secrète ne correspond pas à la clé d'accès. Vérifiez les deux.",
        "Der geheime Schlüssel gehört nicht zum Zugangsschlüssel. Prüfen Sie beide.",
    ),
    "clocks": (
        "The provider's clock differs from ours. Ask the operator to set the clock.",
        "L'horloge du fournisseur diffère de la nôtre. Demandez à l'exploitant de la régler.",
        "Die Uhr des Anbieters weicht von unserer ab. Bitten Sie den Betreiber, sie zu stellen.",
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
        "The server was not confirmed, so nothing was sent to it. Compare its key, and log in again.",
        "Le serveur n'a pas été confirmé ; rien ne lui est parti. Comparez sa clé et reconnectez-vous.",
        "Der Server wurde nicht bestätigt; nichts ging ab. Prüfen Sie den Schlüssel, dann neu anmelden.",
    ),
    "no_ssh": (
        "{host} knows none of the ways to connect that are safe today. Ask for its update.",
        "{host} ne connaît aucun mode de connexion sûr aujourd'hui. Demandez sa mise à jour.",
        "{host} kennt keine der Verbindungsarten, die heute sicher sind. Bitten Sie um ein Update.",
    ),
    "no_sftp": (
        "The account has no SFTP at {host}. Ask for it, or choose another account.",
        "Le compte n'a pas de SFTP chez {host}. Demandez-le, ou choisissez un autre compte.",
        "Das Konto hat kein SFTP bei {host}. Bitten Sie darum, oder wählen Sie ein anderes Konto.",
    ),
    "challenge_needed": (
        "The server asks for a code each time. Log in again, and store the app's secret if you wish.",
        "Le serveur demande un code à chaque fois. Reconnectez-vous, et gardez le secret si vous voulez.",
        "Der Server verlangt jedes Mal einen Code. Melden Sie sich neu an; das Geheimnis kann bleiben.",
    ),
    "wrong_passphrase": (
        "The passphrase does not open this key. Check both.",
        "La phrase secrète n'ouvre pas cette clé. Vérifiez les deux.",
        "Die Passphrase öffnet diesen Schlüssel nicht. Prüfen Sie beide.",
    ),
    "no_private_key": (
        "This is no private key, or it needs its passphrase. Paste the whole file.",
        "Ce n'est pas une clé privée, ou sa phrase secrète manque. Collez le fichier entier.",
        "Das ist kein privater Schlüssel, oder seine Passphrase fehlt. Fügen Sie die ganze Datei ein.",
    ),
}
