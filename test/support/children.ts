import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The processes that a process has started; there is no list on a machine without /proc. */
export function childrenOf(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return listed === '' ? [] : listed.split(' ').map(Number)
}

/** False once it is gone, and for one that only its parent still knows. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Whether a process holds the socket that listens on a port of IPv4. */
export function listensOn(pid: number, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const listening = new RegExp(`:${hex} 00000000:0000 0A(?: +\\S+){5} +(\\d+)`)
  const inode = listening.exec(readFileSync('/proc/net/tcp', 'utf8'))?.[1]
  try {
    const folder = `/proc/${pid}/fd`
    const links = readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`))
    return links.includes(`socket:[${inode}]`)
  } catch {
    // It ends, or closes a file.
    return false
  }
}
