import { keepPreviousData } from '@tanstack/react-query'

/** For what changes while an admin looks elsewhere. The page before stays until the next one is here. */
export const FRESH = { staleTime: 0, placeholderData: keepPreviousData } as const
