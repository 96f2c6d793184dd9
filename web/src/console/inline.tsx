/** Markdown of the server within a sentence: code is set as such; of a link, which leads into its documentation, the text. */
export function Inline({ children }: { children: string }) {
  const parts = children.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').split('`')
  return (
    // The server writes English.
    <span lang="en">
      {parts.map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}
    </span>
  )
}
