import { Badge, Group, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { components } from '../../../client/index.ts'
import { Card, Heading } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { numberOf } from '../setup.ts'
import { FRESH } from './fresh.ts'
import { Inline } from './inline.tsx'
import { Loaded } from './loaded.tsx'
import { Rows } from './table.tsx'
import { C } from './texts.ts'

type Setting = components['schemas']['Setting']
type Finding = components['schemas']['Finding']

/** The worst first. */
const SEVERITIES = ['error', 'warning', 'ok'] as const
const SIGNS = { error: '✕', warning: '!', ok: '✓' } as const satisfies Record<
  Finding['severity'],
  string
>

export function SettingsPage() {
  const settings = useQuery({
    ...FRESH,
    queryKey: ['settings'],
    queryFn: async ({ signal }) => dataOf(await shop.GET('/settings', { signal })),
  })
  return (
    <>
      <Card>
        <Heading>{C.pages['/console/settings']}</Heading>
        <Text>{C.settings.intro}</Text>
        <Loaded query={settings}>{({ findings }) => <Findings findings={findings} />}</Loaded>
      </Card>
      {settings.data !== undefined && <Values settings={settings.data.settings} />}
    </>
  )
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <>
      {findings.every(({ severity }) => severity === 'ok') && <Text>{C.settings.fine}</Text>}
      <ul className="findings" aria-label={C.settings.findings}>
        {SEVERITIES.flatMap((severity) =>
          findings
            .filter((finding) => finding.severity === severity)
            .map(({ detail }) => (
              <li key={detail} className={severity}>
                <span aria-hidden>{SIGNS[severity]}</span>
                <strong>{C.settings.severities[severity]}</strong>
                <Inline>{detail}</Inline>
              </li>
            )),
        )}
      </ul>
    </>
  )
}

function Values({ settings }: { settings: readonly Setting[] }) {
  const [words, setWords] = useState('')
  const found = settings.filter((setting) => hasAll(setting, words))
  return (
    <Card title={C.settings.values}>
      <TextInput
        type="search"
        label={C.settings.filter}
        value={words}
        onChange={({ currentTarget: { value } }) => setWords(value)}
      />
      <Text role="status" c="dimmed" fz="sm">
        {C.settings.shown(numberOf(found.length), numberOf(settings.length))}
      </Text>
      {found.length > 0 && (
        <div className="settings">
          <Rows
            caption={C.settings.values}
            rows={found}
            rowKey={({ name }) => name}
            columns={[
              { head: C.settings.name, cell: (setting) => <Name setting={setting} /> },
              { head: C.settings.value, cell: valueOf },
              {
                head: C.settings.default,
                cell: ({ default: value }) =>
                  value === null ? C.settings.none : <Inline>{value}</Inline>,
              },
              {
                head: C.settings.meaning,
                cell: ({ description }) => <Inline>{description}</Inline>,
              },
            ]}
          />
        </div>
      )}
    </Card>
  )
}

function Name({ setting: { name, is_set } }: { setting: Setting }) {
  return (
    <Group gap="xs">
      <code>{name}</code>
      {is_set && <Badge variant="outline">{C.settings.isSet}</Badge>}
    </Group>
  )
}

function valueOf({ value, unit, is_hidden }: Setting) {
  if (is_hidden)
    return (
      <Text c="dimmed" inherit>
        {C.settings.hidden}
      </Text>
    )
  if (value === null)
    return (
      <Text c="dimmed" inherit>
        {C.settings.none}
      </Text>
    )
  return (
    <span>
      <code>{value}</code> <span lang="en">{unit}</span>
    </span>
  )
}

function hasAll({ name, description }: Setting, words: string): boolean {
  const text = `${name} ${description}`.toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
