import type { Device } from '../lib/devices.ts'
import type { Origin, Texts } from './texts.ts'

export const GERMAN: Texts = {
  verification: ({ code, until, signedUpAt, from }) => ({
    subject: 'Ihr Bestätigungscode für Coffee Shop',
    blocks: [
      { before: 'Ihr Bestätigungscode lautet', code, after: `Er gilt bis zum ${time(until)}.` },
      `Die Registrierung kam am ${time(signedUpAt)} ${origin(from)}.`,
      {
        warning:
          'Das waren nicht Sie? Geben Sie diesen Code nicht ein: Ihr Konto bekäme, wer die Registrierung begonnen hat.',
      },
    ],
  }),
  alreadyRegistered: ({ link }) => ({
    subject: 'Sie haben schon ein Konto bei Coffee Shop',
    blocks: [
      'Jemand, vielleicht Sie selbst, wollte sich mit dieser Adresse registrieren. Sie hat aber schon ein Konto. Daran hat sich nichts geändert.',
      { before: 'Um es zu benutzen, melden Sie sich mit Ihrem bisherigen Passwort an:', link },
    ],
  }),
  sessionReplayed: ({ endedAt, from }) => ({
    subject: 'Wir haben eine Ihrer Sitzungen bei Coffee Shop beendet',
    blocks: [
      `Ein alter Anmeldeschlüssel einer Ihrer Sitzungen wurde am ${time(endedAt)} noch einmal benutzt, ${origin(from)}.`,
      'Er wurde vielleicht kopiert, deshalb haben wir diese Sitzung beendet. Melden Sie sich neu an, um fortzufahren.',
      {
        warning:
          'Das waren nicht Sie? Wählen Sie in der App „Passwort vergessen“ und setzen Sie mit der E-Mail, die dann kommt, ein neues: Das beendet alle Sitzungen.',
      },
    ],
  }),
  newDevice: ({ at, from }) => ({
    subject: 'Neue Anmeldung bei Ihrem Konto bei Coffee Shop',
    blocks: [
      `Am ${time(at)} hat sich jemand bei Ihrem Konto angemeldet, ${origin(from)}.`,
      'Von diesem Gerät kam in den letzten 30 Tagen keine Anmeldung; ein aktualisierter Browser zählt als neues Gerät. Wenn Sie das waren, ist nichts zu tun.',
      {
        warning:
          'Das waren nicht Sie? Dann kennt jemand Ihr Passwort. Wählen Sie in der App sofort „Passwort vergessen“ und setzen Sie mit der E-Mail, die dann kommt, ein neues: Das beendet alle Sitzungen.',
      },
    ],
  }),
  reminder: ({ signedUpAt, until, from, link }) => ({
    subject: 'Ihr Konto bei Coffee Shop ist noch nicht bestätigt',
    blocks: [
      `Diese Adresse wurde am ${time(signedUpAt)} registriert, ${origin(from)}.`,
      `Bestätigt hat sie noch niemand. Das Konto wird am ${time(until)} gelöscht.`,
      {
        before:
          'Um es zu behalten, fordern Sie dort, wo Sie sich registriert haben, einen neuen Code an und geben ihn dort ein:',
        link,
      },
      {
        warning:
          'Das waren nicht Sie? Dann tun Sie nichts: Das Konto verschwindet von selbst. Geben Sie nie einen Code ein, den Sie nicht angefordert haben.',
      },
    ],
  }),
  passwordChanged: ({ at, from }) => ({
    subject: 'Ihr Passwort bei Coffee Shop wurde geändert',
    blocks: [
      `Das Passwort Ihres Kontos wurde am ${time(at)} geändert, ${origin(from)}. Wo Sie sonst noch angemeldet waren, wurden Sie abgemeldet.`,
      {
        warning:
          'Das waren nicht Sie? Fordern Sie sofort eine E-Mail zum Zurücksetzen an und setzen Sie ein neues Passwort: Das beendet alle Sitzungen. Ändern Sie dann auch das Passwort Ihres Postfachs.',
      },
    ],
  }),
  leftPasswordChanged: ({ at, until, link }) => ({
    subject: 'Ihr Passwort bei Coffee Shop wurde geändert',
    blocks: [
      `Das Passwort des Kontos, das diese E-Mail-Adresse aufgegeben hat, wurde am ${time(at)} geändert. Alle anderen Sitzungen wurden beendet.`,
      {
        before: `Das waren nicht Sie? Holen Sie Ihr Konto mit diesem Link zurück, bis zum ${time(until)}:`,
        link,
      },
      'Er bringt diese Adresse zurück, meldet alle Sitzungen ab und lässt das Passwort durch eine Mail an diese Adresse neu setzen.',
      {
        warning:
          'Wenn Sie Adresse und Passwort selbst geändert haben, tun Sie nichts, und geben Sie den Link niemandem: Er gibt das Konto dem, der die Mails an diese Adresse liest.',
      },
    ],
  }),
  passwordReset: ({ link, until, requestedAt, from, verifies }) => ({
    subject: 'Neues Passwort für Coffee Shop setzen',
    blocks: [
      from === null
        ? `Diese Adresse soll ein neues Passwort bekommen; das wurde am ${time(requestedAt)} angefordert.`
        : `Jemand, vielleicht Sie selbst, hat am ${time(requestedAt)} ein neues Passwort angefordert, ${origin(from)}.`,
      {
        before: `Um es zu wählen, öffnen Sie diesen Link. Er gilt einmal, bis zum ${time(until)}:`,
        link,
      },
      verifies
        ? 'Damit bestätigen Sie zugleich diese Adresse; jede Registrierung, die noch auf ihren Code wartet, verfällt.'
        : from === null
          ? 'Danach müssen Sie sich überall neu anmelden. Wurde eine Änderung der Adresse zurückgenommen, kann sich bis dahin niemand anmelden.'
          : 'Danach müssen Sie sich überall neu anmelden. Bis dahin ändert sich nichts.',
      {
        warning:
          'Das waren nicht Sie? Dann tun Sie nichts und geben den Link niemandem: Wer ihn hat, kommt in Ihr Konto.',
      },
    ],
  }),
  accountDeleted: ({ at, from }) => ({
    subject: 'Ihr Konto bei Coffee Shop wurde gelöscht',
    blocks: [
      `Ihr Konto wurde am ${time(at)} gelöscht, ${origin(from)}: von jemandem, der angemeldet war und das Passwort eingegeben hat.`,
      'Alles, was über Sie gespeichert war, ist weg. Dies ist die letzte E-Mail; Sie können sich jederzeit neu registrieren.',
      {
        warning:
          'Das waren nicht Sie? Dann kennt jemand Ihr Passwort: Ändern Sie es überall, wo Sie es sonst noch benutzen. Das Konto selbst lässt sich nicht wiederherstellen.',
      },
    ],
  }),
  leftAccountDeleted: ({ at }) => ({
    subject: 'Ihr Konto bei Coffee Shop wurde gelöscht',
    blocks: [
      `Das Konto, das in den letzten 72 Stunden diese E-Mail-Adresse aufgegeben hat, wurde am ${time(at)} von jemandem gelöscht, der Coffee Shop betreibt.`,
      'Alles, was über Sie gespeichert war, ist weg, und die Änderung der Adresse lässt sich nicht mehr zurücknehmen. Dies ist die letzte E-Mail; Sie können sich jederzeit neu registrieren.',
      {
        warning:
          'Sie haben die Adresse nicht geändert? Dann kannte jemand Ihr Passwort: Ändern Sie es überall, wo Sie es sonst noch benutzen.',
      },
    ],
  }),
  emailCode: ({ code, until, requestedAt, from }) => ({
    subject: 'Ihr Code für eine neue Adresse bei Coffee Shop',
    blocks: [
      {
        before: 'Der Code, mit dem Ihr Konto diese Adresse bekommt, lautet',
        code,
        after: `Er gilt bis zum ${time(until)}, sobald Sie angemeldet sind.`,
      },
      `Die Änderung wurde am ${time(requestedAt)} ${origin(from)} angefordert.`,
      {
        warning:
          'Das waren nicht Sie? Geben Sie diesen Code nicht ein und niemandem weiter: Ihre Adresse gehörte dann zum Konto eines anderen.',
      },
    ],
  }),
  emailTaken: ({ requestedAt, from }) => ({
    subject: 'Diese Adresse hat schon ein Konto bei Coffee Shop',
    blocks: [
      `Jemand, vielleicht Sie selbst, wollte am ${time(requestedAt)} ${origin(from)} einem anderen Konto diese Adresse geben.`,
      'Sie gehört zu einem Konto oder gehörte bis vor wenigen Tagen dazu und bleibt so lange frei gehalten. Es hat sich nichts geändert, und es wurde kein Code verschickt.',
    ],
  }),
  emailChanged: ({ at, until, from, link }) => ({
    subject: 'Die Adresse Ihres Kontos bei Coffee Shop wurde geändert',
    blocks: [
      `Ihr Konto hat seit dem ${time(at)} eine andere E-Mail-Adresse. Die Änderung kam ${origin(from)}. Alle anderen Sitzungen wurden abgemeldet.`,
      {
        before: `Das waren nicht Sie? Holen Sie Ihr Konto mit diesem Link zurück, bis zum ${time(until)}:`,
        link,
      },
      'Er bringt diese Adresse zurück, meldet alle Sitzungen ab und lässt das Passwort durch eine Mail an diese Adresse neu setzen.',
      {
        warning:
          'Wenn Sie die Änderung selbst gemacht haben, tun Sie nichts, und geben Sie den Link niemandem: Er gibt das Konto dem, der die Mails an diese Adresse liest.',
      },
    ],
  }),
  emailConfirmed: ({ at, from }) => ({
    subject: 'Das ist die neue Adresse Ihres Kontos bei Coffee Shop',
    blocks: [
      `Ihr Konto hat seit dem ${time(at)} diese E-Mail-Adresse: Melden Sie sich von nun an mit ihr an. Die Änderung kam ${origin(from)}.`,
      'Die bisherige Adresse wurde benachrichtigt und kann die Änderung 72 Stunden lang zurücknehmen. Alle anderen Sitzungen wurden abgemeldet.',
      {
        warning: 'Das waren nicht Sie? Dann ist dieses Konto nicht Ihres: Benutzen Sie es nicht.',
      },
    ],
  }),
  emailUndone: ({ at }) => ({
    subject: 'Die Änderung Ihrer Adresse bei Coffee Shop wurde zurückgenommen',
    blocks: [
      `Das Konto, das diese E-Mail-Adresse hatte, hat seit dem ${time(at)} wieder die davor. Alle Sitzungen wurden abgemeldet, und diese Adresse ist wieder frei.`,
      {
        warning:
          'Das waren nicht Sie? Dann liest jemand anders die Mails Ihrer vorigen Adresse: Ändern Sie sofort das Passwort jenes Postfachs.',
      },
    ],
  }),
  phoneCode: ({ code }) =>
    `${code} ist Ihr Coffee-Shop-Code. Er gilt zehn Minuten. Geben Sie ihn niemandem; wenn Sie ihn nicht angefordert haben, ignorieren Sie diese Nachricht.`,
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
