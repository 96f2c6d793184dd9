import { useLocation, useSearchParams } from 'wouter'

/** The address of this page with other parameters; those that are empty are left out. */
export function useAddress() {
  const [location] = useLocation()
  const [search] = useSearchParams()
  return (changes: Readonly<Record<string, string>>) => {
    const wanted = Object.entries({ ...Object.fromEntries(search), ...changes })
    const params = new URLSearchParams(wanted.filter(([, value]) => value !== ''))
    return params.size === 0 ? location : `${location}?${params}`
  }
}
