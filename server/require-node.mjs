// Plain JavaScript that every Node can read: an old one stops here with a line that helps, not at
// the first type annotation with one that does not.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 26 || (major === 26 && minor < 10)) {
  console.error(
    `Node 26.10 or newer is needed, this is ${process.versions.node}. Run "npm ci" and then use npm: it brings the right one.`,
  )
  process.exit(1)
}
