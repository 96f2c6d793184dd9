import type { Device } from '../lib/devices.ts'
import type { Origin, Texts } from './texts.ts'

export const GERMAN: Texts = {
  verification: (shop, { code, until, signedUpAt, from }) => ({
    subject: `Ihr Bestätigungscode für ${shop}`,
    blocks: [
      { before: 'Ihr Bestätigungscode lautet', code, after: `Er gilt bis zum ${time(until)}.` },
      `Jemand hat sich am ${time(signedUpAt)} mit dieser Adresse registriert, ${origin(from)}.`,
      {
        warning:
          'Wenn Sie das nicht waren, geben Sie diesen Code nicht ein: Ihr Konto bekäme sonst, wer sich registriert hat.',
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
    subject: `Wir haben eine Ihrer Sitzungen bei ${shop} beendet`,
    blocks: [
      `Ein veraltetes Anmeldetoken einer Ihrer Sitzungen wurde am ${time(endedAt)} erneut verwendet, ${origin(from)}.`,
      'Möglicherweise wurde es kopiert. Deshalb haben wir diese Sitzung beendet. Bitte melden Sie sich erneut an.',
      {
        warning:
          'Wenn Sie das nicht waren, wählen Sie in der App „Passwort vergessen“ und setzen Sie über den Link in unserer E-Mail ein neues Passwort. Das beendet alle Sitzungen.',
      },
    ],
  }),
  newDevice: (shop, { at, from }) => ({
    subject: `Neue Anmeldung bei Ihrem Konto bei ${shop}`,
    blocks: [
      `Am ${time(at)} hat sich jemand bei Ihrem Konto angemeldet, ${origin(from)}.`,
      'Von diesem Gerät gab es in den letzten 30 Tagen keine Anmeldung; ein aktualisierter Browser zählt als neues Gerät. Wenn Sie das waren, müssen Sie nichts tun.',
      {
        warning:
          'Wenn Sie das nicht waren, kennt jemand Ihr Passwort. Wählen Sie in der App sofort „Passwort vergessen“ und setzen Sie über den Link in unserer E-Mail ein neues Passwort. Das beendet alle Sitzungen.',
      },
    ],
  }),
  reminder: (shop, { signedUpAt, until, from, link }) => ({
    subject: `Ihr Konto bei ${shop} ist noch nicht bestätigt`,
    blocks: [
      `Jemand hat sich am ${time(signedUpAt)} mit dieser Adresse registriert, ${origin(from)}.`,
      `Die Adresse ist noch nicht bestätigt. Das Konto wird am ${time(until)} gelöscht.`,
      {
        before:
          'Um es zu behalten, fordern Sie dort, wo Sie sich registriert haben, einen neuen Code an und geben Sie ihn dort ein:',
        link,
      },
      {
        warning:
          'Wenn Sie das nicht waren, tun Sie nichts: Das Konto wird automatisch gelöscht. Geben Sie nie einen Code ein, den Sie nicht angefordert haben.',
      },
    ],
  }),
  passwordChanged: (shop, { at, from }) => ({
    subject: `Ihr Passwort bei ${shop} wurde geändert`,
    blocks: [
      `Das Passwort Ihres Kontos wurde am ${time(at)} geändert, ${origin(from)}. Alle anderen Sitzungen wurden beendet.`,
      {
        warning:
          'Wenn Sie das nicht waren, fordern Sie einen Link zum Zurücksetzen an und setzen Sie sofort ein neues Passwort. Das beendet alle Sitzungen. Ändern Sie dann auch das Passwort Ihres Postfachs.',
      },
    ],
  }),
  previousAddressPasswordChanged: (shop, { at, until, link }) => ({
    subject: `Ihr Passwort bei ${shop} wurde geändert`,
    blocks: [
      `Das Passwort des Kontos, das bis vor Kurzem diese E-Mail-Adresse hatte, wurde am ${time(at)} geändert. Alle anderen Sitzungen wurden beendet.`,
      {
        before: `Wenn Sie das nicht waren, holen Sie Ihr Konto mit diesem Link zurück, er gilt bis zum ${time(until)}:`,
        link,
      },
      'Der Link stellt diese Adresse wieder her und beendet alle Sitzungen. Danach erhalten Sie einen weiteren Link, um ein neues Passwort zu setzen.',
      {
        warning:
          'Wenn Sie Adresse und Passwort selbst geändert haben, tun Sie nichts und geben Sie den Link nicht weiter: Mit ihm bekommt das Konto, wer die E-Mails an diese Adresse liest.',
      },
    ],
  }),
  passwordReset: (shop, { link, until, requestedAt, from, verifies }) => ({
    subject: `Neues Passwort für ${shop} setzen`,
    blocks: [
      from === null
        ? `Für Ihr Konto wurde am ${time(requestedAt)} ein neues Passwort angefordert.`
        : `Jemand, vielleicht Sie selbst, hat am ${time(requestedAt)} ein neues Passwort angefordert, ${origin(from)}.`,
      {
        before: `Um ein neues Passwort zu setzen, öffnen Sie diesen Link. Er funktioniert einmal, bis zum ${time(until)}:`,
        link,
      },
      verifies
        ? 'Ein neues Passwort bestätigt auch diese Adresse. Alle Registrierungen mit ihr, die noch auf ihren Code warten, verfallen.'
        : from === null
          ? 'Ein neues Passwort beendet alle Sitzungen. Wenn eine Änderung Ihrer Adresse zurückgenommen wurde, kann sich bis dahin niemand anmelden.'
          : 'Ein neues Passwort beendet alle Sitzungen. Bis Sie es setzen, ändert sich nichts.',
      {
        warning:
          'Wenn Sie das nicht waren, tun Sie nichts und geben Sie den Link nicht weiter: Wer ihn hat, kann Ihr Konto übernehmen.',
      },
    ],
  }),
  accountDeleted: (shop, { at, from }) => ({
    subject: `Ihr Konto bei ${shop} wurde gelöscht`,
    blocks: [
      `Ihr Konto wurde am ${time(at)} gelöscht, ${origin(from)}. Dabei war jemand angemeldet und hat das Passwort eingegeben.`,
      'Alle Daten, die über Sie gespeichert waren, wurden gelöscht. Dies ist unsere letzte E-Mail. Sie können sich jederzeit neu registrieren.',
      {
        warning:
          'Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Ändern Sie es überall, wo Sie es sonst noch verwenden. Das Konto lässt sich nicht wiederherstellen.',
      },
    ],
  }),
  previousAddressAccountDeleted: (shop, { at }) => ({
    subject: `Ihr Konto bei ${shop} wurde gelöscht`,
    blocks: [
      `Das Konto, das bis vor weniger als 72 Stunden diese E-Mail-Adresse hatte, wurde am ${time(at)} von der Verwaltung von ${shop} gelöscht.`,
      'Alle Daten, die über Sie gespeichert waren, wurden gelöscht, und die Änderung der Adresse lässt sich nicht mehr zurücknehmen. Dies ist unsere letzte E-Mail. Sie können sich jederzeit neu registrieren.',
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
        before: 'Ihr Code, um diese Adresse für Ihr Konto zu bestätigen, lautet',
        code,
        after: `Er gilt bis zum ${time(until)}. Melden Sie sich an, bevor Sie ihn eingeben.`,
      },
      `Die Änderung wurde am ${time(requestedAt)} ${origin(from)} angefordert.`,
      {
        warning:
          'Wenn Sie das nicht waren, geben Sie diesen Code weder ein noch weiter: Ihre Adresse würde sonst dem Konto einer anderen Person zugeordnet.',
      },
    ],
  }),
  emailTaken: (shop, { requestedAt, from }) => ({
    subject: `Diese Adresse hat bereits ein Konto bei ${shop}`,
    blocks: [
      `Jemand, vielleicht Sie selbst, wollte diese Adresse am ${time(requestedAt)} ${origin(from)} für ein anderes Konto verwenden.`,
      'Die Adresse gehört zu einem Konto, oder sie gehörte bis vor wenigen Tagen dazu und ist noch für dessen Inhaber reserviert. Es hat sich nichts geändert, und es wurde kein Code verschickt.',
    ],
  }),
  emailChanged: (shop, { at, until, from, link }) => ({
    subject: `Die Adresse Ihres Kontos bei ${shop} wurde geändert`,
    blocks: [
      `Die E-Mail-Adresse Ihres Kontos wurde am ${time(at)} geändert, ${origin(from)}. Alle anderen Sitzungen wurden beendet.`,
      {
        before: `Wenn Sie das nicht waren, holen Sie Ihr Konto mit diesem Link zurück, er gilt bis zum ${time(until)}:`,
        link,
      },
      'Der Link stellt diese Adresse wieder her und beendet alle Sitzungen. Danach erhalten Sie einen weiteren Link, um ein neues Passwort zu setzen.',
      {
        warning:
          'Wenn Sie die Adresse selbst geändert haben, tun Sie nichts und geben Sie den Link nicht weiter: Mit ihm bekommt das Konto, wer die E-Mails an diese Adresse liest.',
      },
    ],
  }),
  emailConfirmed: (shop, { at, from }) => ({
    subject: `Ihr Konto bei ${shop} hat eine neue Adresse`,
    blocks: [
      `Ihr Konto hat seit dem ${time(at)} diese E-Mail-Adresse. Melden Sie sich von nun an mit ihr an. Die Änderung kam ${origin(from)}.`,
      'Wir haben Ihre bisherige Adresse benachrichtigt. Von dort lässt sich die Änderung 72 Stunden lang zurücknehmen. Alle anderen Sitzungen wurden beendet.',
      {
        warning:
          'Wenn Sie das nicht waren, gehört dieses Konto nicht Ihnen: Verwenden Sie es nicht.',
      },
    ],
  }),
  emailUndone: (shop, { at }) => ({
    subject: `Die Änderung Ihrer Adresse bei ${shop} wurde zurückgenommen`,
    blocks: [
      `Das Konto mit dieser E-Mail-Adresse hat seit dem ${time(at)} wieder seine vorherige Adresse. Alle Sitzungen wurden beendet, und diese Adresse ist wieder frei.`,
      {
        warning:
          'Wenn Sie das nicht waren, liest jemand anderes die E-Mails Ihrer vorherigen Adresse: Ändern Sie sofort das Passwort dieses Postfachs.',
      },
    ],
  }),
  phoneCode: (shop, { code }) =>
    `${code} ist Ihr Code bei ${shop}. Er gilt zehn Minuten. Geben Sie ihn nicht weiter. Nicht angefordert? Dann ignorieren Sie ihn.`,
}

/** `22.11.2026 um 17:40 UTC` */
function time(iso: string): string {
  const [year, month, day] = iso.slice(0, 10).split('-')
  return `${day}.${month}.${year} um ${iso.slice(11, 16)} UTC`
}

function origin({ ip, device }: Origin): string {
  const network = ip === null ? 'aus einem unbekannten Netz' : `von ${ip}`
  return `${network} mit ${nameOf(device)}`
}

function nameOf(device: Device | null): string {
  if (device === null) return 'einem unbekannten Gerät'
  const { program, system } = device
  return `${program ?? 'einer App'}${system === null ? '' : ` auf ${system}`}`
}
