import type { Device } from '../lib/devices.ts'
import type { Account, Origin, Texts } from './texts.ts'

export const GERMAN: Texts = {
  verification: (shop, { code, until, signedUpAt, from }) => ({
    subject: `Ihr Bestätigungscode für ${shop}`,
    blocks: [
      { before: 'Ihr Bestätigungscode lautet', code, after: `Er gilt bis zum ${time(until)}.` },
      `Jemand hat sich am ${time(signedUpAt)} mit dieser Adresse registriert (${origin(from)}).`,
      {
        warning:
          'Wenn Sie das nicht waren, geben Sie diesen Code weder ein noch weiter: Sonst könnte jemand anderes ein Konto mit Ihrer Adresse nutzen. Wenn Sie ein Konto möchten, wählen Sie in der App stattdessen „Passwort vergessen“ und legen Sie über den Link in unserer E-Mail ein Passwort fest.',
      },
    ],
  }),
  alreadyRegistered: (shop, { link }) => ({
    subject: `Sie haben bereits ein Konto bei ${shop}`,
    blocks: [
      'Jemand, vielleicht Sie selbst, wollte sich mit dieser Adresse registrieren. Zu ihr gibt es bereits ein Konto. Es hat sich nichts geändert.',
      { before: 'Um Ihr Konto zu nutzen, melden Sie sich mit Ihrem bisherigen Passwort an:', link },
    ],
  }),
  sessionReplayed: (shop, { endedAt, from }) => ({
    subject: `Wir haben eines Ihrer Geräte bei ${shop} abgemeldet`,
    blocks: [
      `Für eines Ihrer Geräte wurde am ${time(endedAt)} ein veralteter Anmeldeschlüssel verwendet (${origin(from)}).`,
      'Möglicherweise wurde er kopiert. Deshalb haben wir dieses Gerät abgemeldet. Bitte melden Sie sich erneut an.',
      {
        warning:
          'Wenn Ihnen die Angaben oben nicht bekannt sind, wählen Sie in der App „Passwort vergessen“ und legen Sie über den Link in unserer E-Mail ein neues Passwort fest. Dadurch werden alle Geräte abgemeldet.',
      },
    ],
  }),
  invitation: (shop, { link, until }) => ({
    subject: `Ihre Einladung zu ${shop}`,
    blocks: [
      `${shop} lädt Sie zu einem Konto mit dieser E-Mail-Adresse ein.`,
      {
        before: `Um die Einladung anzunehmen, öffnen Sie diesen Link und wählen Sie ein Passwort. Er funktioniert nur einmal und gilt bis zum ${time(until)}:`,
        link,
      },
      {
        warning:
          'Wenn Sie damit nicht gerechnet haben, tun Sie nichts und geben Sie den Link nicht weiter: Das Konto wird automatisch gelöscht.',
      },
    ],
  }),
  newDevice: (shop, { at, from }) => ({
    subject: `Neue Anmeldung mit Ihrem Konto bei ${shop}`,
    blocks: [
      `Am ${time(at)} hat sich jemand mit Ihrem Konto angemeldet (${origin(from)}).`,
      'Von diesem Gerät gab es in den letzten 30 Tagen keine Anmeldung; ein aktualisierter Browser zählt als neues Gerät. Wenn Sie das waren, müssen Sie nichts tun.',
      {
        warning:
          'Wenn Sie das nicht waren, kennt jemand Ihr Passwort. Wählen Sie in der App sofort „Passwort vergessen“ und legen Sie über den Link in unserer E-Mail ein neues Passwort fest. Dadurch werden alle Geräte abgemeldet.',
      },
    ],
  }),
  reminder: (shop, { signedUpAt, until, from, link }) => ({
    subject: `Ihr Konto bei ${shop} ist noch nicht bestätigt`,
    blocks: [
      `Jemand hat sich am ${time(signedUpAt)} mit dieser Adresse registriert (${origin(from)}).`,
      `Die Adresse ist noch nicht bestätigt. Das Konto wird am ${time(until)} gelöscht.`,
      {
        before:
          'Um es zu behalten, wählen Sie dort, wo Sie sich registriert haben, „Passwort vergessen“ und legen Sie über den Link in unserer E-Mail ein Passwort fest, was auch die Adresse bestätigt:',
        link,
      },
      {
        warning:
          'Wenn Sie das nicht waren, tun Sie nichts: Das Konto wird automatisch gelöscht. Geben Sie nie den Code einer Registrierung ein, die nicht von Ihnen ist.',
      },
    ],
  }),
  passwordChanged: (shop, { at, from }) => ({
    subject: `Ihr Passwort bei ${shop} wurde geändert`,
    blocks: [
      `Das Passwort Ihres Kontos wurde am ${time(at)} geändert (${origin(from)}). Alle anderen Geräte wurden abgemeldet.`,
      {
        warning:
          'Wenn Sie das nicht waren, wählen Sie in der App sofort „Passwort vergessen“ und legen Sie über den Link in unserer E-Mail ein neues Passwort fest. Dadurch werden alle Geräte abgemeldet. Ändern Sie dann auch das Passwort Ihres Postfachs.',
      },
    ],
  }),
  previousAddressPasswordChanged: (shop, { at, until, link }) => ({
    subject: `Ihr Passwort bei ${shop} wurde geändert`,
    blocks: [
      `Das Passwort des Kontos, das bis vor Kurzem diese E-Mail-Adresse hatte, wurde am ${time(at)} geändert. Alle anderen Geräte wurden abgemeldet.`,
      {
        before: `Wenn Sie das nicht waren, holen Sie Ihr Konto mit diesem Link zurück (gültig bis zum ${time(until)}):`,
        link,
      },
      'Der Link stellt diese Adresse wieder her. Dadurch werden alle Geräte abgemeldet. Danach erhalten Sie einen weiteren Link, um ein neues Passwort festzulegen.',
      {
        warning:
          'Wenn Sie Adresse und Passwort selbst geändert haben, tun Sie nichts und geben Sie den Link nicht weiter: Wer ihn verwendet und die E-Mails an diese Adresse lesen kann, erhält Zugang zum Konto.',
      },
    ],
  }),
  passwordReset: (shop, { link, until, requestedAt, from, verifies }) => ({
    subject: `Neues Passwort für ${shop} festlegen`,
    blocks: [
      from === null
        ? `Für Ihr Konto wurde am ${time(requestedAt)} ein neues Passwort angefordert.`
        : `Jemand, vielleicht Sie selbst, hat am ${time(requestedAt)} ein neues Passwort angefordert (${origin(from)}).`,
      {
        before: `Um ein neues Passwort festzulegen, öffnen Sie diesen Link. Er funktioniert nur einmal und gilt bis zum ${time(until)}:`,
        link,
      },
      verifies
        ? 'Ein neues Passwort bestätigt auch diese Adresse. Alle anderen, noch nicht bestätigten Registrierungen mit dieser Adresse verfallen.'
        : from === null
          ? 'Mit dem neuen Passwort werden alle Geräte abgemeldet. Wenn eine Änderung Ihrer Adresse zurückgenommen wurde, kann sich niemand anmelden, bis Sie es festlegen.'
          : 'Mit dem neuen Passwort werden alle Geräte abgemeldet. Bis Sie es festlegen, ändert sich nichts.',
      {
        warning:
          'Wenn Sie das nicht waren, tun Sie nichts und geben Sie den Link nicht weiter: Wer ihn hat, kann Ihr Konto übernehmen.',
      },
    ],
  }),
  accountDeleted: (shop, { at, from }) => ({
    subject: `Ihr Konto bei ${shop} wurde gelöscht`,
    blocks: [
      `Ihr Konto wurde am ${time(at)} gelöscht (${origin(from)}). Die Person war angemeldet und hat das Passwort eingegeben.`,
      'Alle personenbezogenen Daten, die wir über Sie gespeichert hatten, wurden gelöscht. Dies ist unsere letzte E-Mail. Sie können sich jederzeit neu registrieren.',
      {
        warning:
          'Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Ändern Sie es überall, wo Sie es sonst noch verwenden. Das Konto lässt sich nicht wiederherstellen.',
      },
    ],
  }),
  previousAddressAccountDeleted: (shop, { at }) => ({
    subject: `Ihr Konto bei ${shop} wurde gelöscht`,
    blocks: [
      `Das Konto, das bis vor Kurzem diese E-Mail-Adresse hatte, wurde am ${time(at)} von ${shop} gelöscht.`,
      'Alle personenbezogenen Daten, die wir über Sie gespeichert hatten, wurden gelöscht, und die Änderung der Adresse lässt sich nicht mehr zurücknehmen. Dies ist unsere letzte E-Mail. Sie können sich jederzeit neu registrieren.',
      {
        warning:
          'Wenn Sie die Adresse nicht geändert haben, kannte jemand Ihr Passwort: Ändern Sie es überall, wo Sie es sonst noch verwenden.',
      },
    ],
  }),
  emailCode: (shop, { code, until, requestedAt, from }) => ({
    subject: `Neue Adresse für Ihr Konto bei ${shop} bestätigen`,
    blocks: [
      {
        before: 'Ihr Code zum Bestätigen dieser Adresse lautet',
        code,
        after: `Er gilt bis zum ${time(until)}. Melden Sie sich an, bevor Sie ihn eingeben.`,
      },
      `Die Änderung wurde am ${time(requestedAt)} angefordert (${origin(from)}).`,
      {
        warning:
          'Wenn Sie das nicht waren, geben Sie diesen Code weder ein noch weiter: Ihre Adresse würde sonst dem Konto einer anderen Person zugeordnet.',
      },
    ],
  }),
  emailTaken: (shop, { requestedAt, from }) => ({
    subject: `Diese Adresse ist bei ${shop} bereits vergeben`,
    blocks: [
      `Jemand, vielleicht Sie selbst, wollte diese Adresse am ${time(requestedAt)} für ein anderes Konto verwenden (${origin(from)}).`,
      'Die Adresse gehört bereits zu einem Konto oder ist nach einer Änderung noch für ihren bisherigen Inhaber reserviert. Es hat sich nichts geändert, und es wurde kein Code verschickt.',
    ],
  }),
  emailChanged: (shop, { at, until, from, link }) => ({
    subject: `Die Adresse Ihres Kontos bei ${shop} wurde geändert`,
    blocks: [
      `Die E-Mail-Adresse Ihres Kontos wurde am ${time(at)} geändert (${origin(from)}). Alle anderen Geräte wurden abgemeldet.`,
      {
        before: `Wenn Sie das nicht waren, holen Sie Ihr Konto mit diesem Link zurück (gültig bis zum ${time(until)}):`,
        link,
      },
      'Der Link stellt diese Adresse wieder her. Dadurch werden alle Geräte abgemeldet. Danach erhalten Sie einen weiteren Link, um ein neues Passwort festzulegen.',
      {
        warning:
          'Wenn Sie die Adresse selbst geändert haben, tun Sie nichts und geben Sie den Link nicht weiter: Wer ihn verwendet und die E-Mails an diese Adresse lesen kann, erhält Zugang zum Konto.',
      },
    ],
  }),
  emailConfirmed: (shop, { at, from }) => ({
    subject: `Ihr Konto bei ${shop} hat eine neue Adresse`,
    blocks: [
      `Die E-Mail-Adresse Ihres Kontos wurde am ${time(at)} in diese Adresse geändert (${origin(from)}). Melden Sie sich von nun an mit ihr an.`,
      'Wir haben Ihre bisherige Adresse benachrichtigt. Von dort lässt sich die Änderung 72 Stunden lang zurücknehmen. Alle anderen Geräte wurden abgemeldet.',
      {
        warning:
          'Wenn Sie das nicht waren, gehört dieses Konto nicht Ihnen: Verwenden Sie es nicht.',
      },
    ],
  }),
  emailUndone: (shop, { at }) => ({
    subject: `Die Änderung Ihrer Adresse bei ${shop} wurde zurückgenommen`,
    blocks: [
      `Das Konto mit dieser E-Mail-Adresse wurde am ${time(at)} auf seine vorherige Adresse zurückgesetzt. Alle Geräte wurden abgemeldet, und diese Adresse ist wieder frei.`,
      {
        warning:
          'Wenn Sie das nicht waren, hat jemand anderes Zugriff auf das Postfach Ihrer vorherigen Adresse: Ändern Sie sofort dessen Passwort.',
      },
    ],
  }),
  adminAct: (shop, { at, act, subject, actor }) => ({
    subject: {
      invited: `Einladung zu einem Administratorkonto bei ${shop}`,
      uninvited: `Einladung zu einem Administratorkonto bei ${shop} widerrufen`,
      promoted: `${shop} hat ein neues Administratorkonto`,
      demoted: `Einem Konto bei ${shop} wurde die Administratorrolle entzogen`,
      disabled: `Ein Administratorkonto bei ${shop} wurde gesperrt`,
      enabled: `Ein Administratorkonto bei ${shop} wurde entsperrt`,
      deleted: `Ein Konto bei ${shop} wurde gelöscht`,
    }[act],
    blocks: [
      {
        invited: `Das ${account(subject)} wurde am ${time(at)} eingeladen, Administrator zu werden. Ausgeführt hat dies ${actorName(actor)}. Wird die Einladung innerhalb von sieben Tagen angenommen, erhält das Konto die Administratorrolle; bis dahin kann ein Administrator sie widerrufen.`,
        uninvited: `Die Einladung für das ${account(subject)}, Administrator zu werden, wurde am ${time(at)} widerrufen. Ausgeführt hat dies ${actorName(actor)}.`,
        promoted: `Das ${account(subject)} hat am ${time(at)} die Administratorrolle erhalten. Ausgeführt hat dies ${actorName(actor)}.`,
        demoted: `Dem ${account(subject)} wurde am ${time(at)} die Administratorrolle entzogen. Ausgeführt hat dies ${actorName(actor)}.`,
        disabled: `Das ${account(subject)} eines Administrators wurde am ${time(at)} gesperrt und abgemeldet. Ausgeführt hat dies ${actorName(actor)}.`,
        enabled: `Das ${account(subject)} eines Administrators wurde am ${time(at)} entsperrt. Ausgeführt hat dies ${actorName(actor)}.`,
        deleted: `Das ${account(subject)} wurde am ${time(at)} gelöscht. Ausgeführt hat dies ${actorName(actor)}.`,
      }[act],
      ...(act === 'deleted' ? [MORE_DELETIONS] : []),
      ADMIN_WARNING,
    ],
  }),
  phoneCode: (shop, { code }) =>
    `${code} ist Ihr Code bei ${shop}. Er gilt zehn Minuten. Geben Sie ihn nicht weiter. Nicht angefordert? Dann ignorieren Sie ihn.`,
}

const MORE_DELETIONS =
  'Seitdem können weitere Konten gelöscht worden sein: Wir senden höchstens fünf dieser E-Mails pro Stunde. Das Protokoll enthält jede Löschung.'

const ADMIN_WARNING = {
  warning:
    'Wenn Ihr Konto hier genannt ist und Sie das nicht waren, wählen Sie in der App sofort „Passwort vergessen“ und legen Sie über den Link in unserer E-Mail ein neues Passwort fest. Dadurch werden alle Geräte abgemeldet. Wenn es niemand beabsichtigt hat, verwendet möglicherweise jemand anderes dieses Konto: Das Protokoll zeigt, was sonst noch geschah und von wo aus.',
}

function account({ id, email }: Account): string {
  return `Konto ${id}${email === null ? '' : ` (${email})`}`
}

function actorName(actor: Account | null): string {
  return actor === null ? 'jemand, der den Dienst betreibt' : account(actor)
}

/** `22.11.2026 um 17:40 Uhr UTC` */
function time(iso: string): string {
  const [year, month, day] = iso.slice(0, 10).split('-')
  return `${day}.${month}.${year} um ${iso.slice(11, 16)} Uhr UTC`
}

function origin({ ip, device }: Origin): string {
  return `${ip === null ? 'unbekanntes Netz' : `IP-Adresse ${ip}`}, ${nameOf(device)}`
}

function nameOf(device: Device | null): string {
  if (device === null) return 'unbekanntes Gerät'
  const { program, system } = device
  return `${program ?? 'App'}${system === null ? '' : `, ${system}`}`
}
