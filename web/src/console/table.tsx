import { Anchor, Group, Table, Text } from '@mantine/core'
import type { Key, ReactNode } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import type { Answer } from '../../../client/index.ts'
import { Loading, Problem } from '../page.tsx'
import { dataOf } from '../session.ts'
import { C } from './texts.ts'

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => ReactNode
}

/** One page of a list of the API, and the cursor of the next. */
export interface ListPage<Row> {
  readonly rows: readonly Row[]
  readonly next: string | undefined
}

/** Throws the ShopError. */
export function listPageOf<Row>(answer: Answer<Row[]>): ListPage<Row> {
  const rows = dataOf(answer)
  const link = answer.response?.headers.get('link') ?? ''
  const query = /<[^>]*\?([^>]*)>; rel="next"/.exec(link)?.[1] ?? ''
  return { rows, next: new URLSearchParams(query).get('after') ?? undefined }
}

interface ListProps<Row> {
  /** What the rows are, for who does not see the table. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => Key
  readonly list: {
    readonly data: ListPage<Row> | undefined
    readonly error: Error | null
    readonly isFetching: boolean
  }
}

/** A page of a list. On a phone each row is a block of its own, with the heads beside its cells. */
export function List<Row>({ caption, columns, rowKey, list }: ListProps<Row>) {
  const { data, error, isFetching } = list
  return (
    <>
      {error !== null && <Problem error={error} />}
      {data === undefined && isFetching && <Loading />}
      {data !== undefined && data.rows.length === 0 && <Text>{C.none}</Text>}
      {data !== undefined && data.rows.length > 0 && (
        <Rows caption={caption} columns={columns} rowKey={rowKey} rows={data.rows} />
      )}
      <Pages next={data?.next} />
    </>
  )
}

export function Rows<Row>({
  caption,
  columns,
  rowKey,
  rows,
}: Omit<ListProps<Row>, 'list'> & { rows: readonly Row[] }) {
  return (
    <Table className="rows" aria-label={caption}>
      <Table.Thead>
        <Table.Tr>
          {columns.map(({ head }) => (
            <Table.Th key={head} scope="col">
              {head}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={rowKey(row)}>
            {columns.map(({ head, cell }) => (
              <Table.Td key={head} data-head={head}>
                {cell(row)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

/** Each page has an address of its own: back is the browser's. */
function Pages({ next }: { next: string | undefined }) {
  const [location] = useLocation()
  const [search] = useSearchParams()
  const to = (after: string | undefined) => {
    const params = new URLSearchParams(search)
    if (after === undefined) params.delete('after')
    else params.set('after', after)
    return `${location}?${params}`
  }
  return (
    <Group gap="md">
      {search.has('after') && (
        <Link to={to(undefined)} asChild>
          <Anchor>{C.first}</Anchor>
        </Link>
      )}
      {next !== undefined && (
        <Link to={to(next)} asChild>
          <Anchor>{C.more}</Anchor>
        </Link>
      )}
    </Group>
  )
}
