/** Sets an entry as the newest; of more than `sizeMax` entries the oldest is dropped. */
export function setBounded<K, V>(map: Map<K, V>, [key, value]: [K, V], sizeMax: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= sizeMax) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
