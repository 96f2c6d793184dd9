/** Sets an entry as the newest; evicts the oldest beyond `sizeMax` entries. */
export function setBounded<K, V>(map: Map<K, V>, [key, value]: [K, V], sizeMax: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= sizeMax) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
