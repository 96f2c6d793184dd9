import { Anchor, Group, Table, Text } from '@mantine/core'
import { type Key, type ReactNode, type Ref, useRef } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { Answer } from '../../../client/index.ts'
import { Loading, Problem } from '../page.tsx'
import { dataOf } from '../session.ts'
import { timeOf } from '../setup.ts'
import { useAddress } from './address.ts'
import { C } from './texts.ts'

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => ReactNode
  /** The API’s name for the order by this column. */
  readonly sort?: string
  /** Beside its head, unless it speaks for itself. */
  readonly onPhone?: 'bare' | 'line' | 'hidden'
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

/** In one line, whatever is beside it. */
export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{timeOf(at)}</time>
}

interface ListProps<Row> {
  /** What the rows are, for who does not see the table. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => Key
  /** Where there are no rows. */
  readonly none?: string
  /** The order if the address names none. */
  readonly sort?: string
  readonly list: {
    readonly data: ListPage<Row> | undefined
    readonly error: Error | null
    readonly isFetching: boolean
    /** Whether the rows are those of the page before. */
    readonly isPlaceholderData?: boolean
  }
}

/** A page of a list. On a phone each row is a block of its own, with the heads beside its cells. */
export function List<Row>({ list, none = C.none, ...shown }: ListProps<Row>) {
  const { data, error, isFetching, isPlaceholderData = false } = list
  const table = useRef<HTMLTableElement>(null)
  return (
    <>
      {error !== null && <Problem error={error} />}
      {data === undefined && isFetching && <Loading />}
      {data !== undefined && data.rows.length === 0 && <Text>{none}</Text>}
      {data !== undefined && data.rows.length > 0 && (
        <Rows {...shown} rows={data.rows} isBusy={isPlaceholderData} table={table} />
      )}
      <Pages
        next={isPlaceholderData ? undefined : data?.next}
        turned={() => {
          table.current?.focus({ preventScroll: true })
          table.current?.scrollIntoView()
        }}
      />
    </>
  )
}

interface RowsProps<Row> extends Omit<ListProps<Row>, 'list' | 'none'> {
  readonly rows: readonly Row[]
  readonly isBusy?: boolean
  readonly table?: Ref<HTMLTableElement>
}

export function Rows<Row>(props: RowsProps<Row>) {
  const { caption, columns, rowKey, rows, sort, isBusy = false, table } = props
  return (
    <Table ref={table} className="rows" aria-label={caption} aria-busy={isBusy} tabIndex={-1}>
      <Table.Thead>
        <Table.Tr>
          {columns.map((column) => (
            <Head key={column.head} {...column} initial={sort} />
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={rowKey(row)}>
            {columns.map(({ head, cell, onPhone }) => (
              <Table.Td key={head} data-head={head} data-on-phone={onPhone}>
                {cell(row)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

interface HeadProps {
  readonly head: string
  readonly sort?: string
  readonly initial: string | undefined
}

/** What can be sorted is: by a link, for each order has an address of its own. */
function Head({ head, sort, initial }: HeadProps) {
  const [search] = useSearchParams()
  const to = useAddress()
  if (sort === undefined) return <Table.Th scope="col">{head}</Table.Th>
  const current = search.get('sort') ?? initial
  const isAscending = current === sort
  const isDescending = current === `-${sort}`
  return (
    <Table.Th
      scope="col"
      {...((isAscending || isDescending) && {
        'aria-sort': isAscending ? 'ascending' : 'descending',
      })}
    >
      <Link to={to({ sort: isAscending ? `-${sort}` : sort, after: '' })} asChild>
        <Anchor inherit underline="hover">
          {head}
          <span aria-hidden>{isAscending ? ' ▲' : isDescending && ' ▼'}</span>
        </Anchor>
      </Link>
    </Table.Th>
  )
}

interface PagesProps {
  readonly next: string | undefined
  readonly turned: () => void
}

/** Each page has an address of its own: back is the browser's. */
function Pages({ next, turned }: PagesProps) {
  const [search] = useSearchParams()
  const to = useAddress()
  return (
    <Group gap="md">
      {search.has('after') && (
        <Link to={to({ after: '' })} onClick={turned} asChild>
          <Anchor>{C.first}</Anchor>
        </Link>
      )}
      {next !== undefined && (
        <Link to={to({ after: next })} onClick={turned} asChild>
          <Anchor>{C.more}</Anchor>
        </Link>
      )}
    </Group>
  )
}
