import {
  Anchor,
  createTheme,
  type CSSVariablesResolver,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
} from '@mantine/core'

const coffee: MantineColorsTuple = [
  '#faf5ef',
  '#f0e4d6',
  '#e7cfb4',
  '#e0ab72',
  '#cb8f52',
  '#b07539',
  '#935c2a',
  '#7a4a1e',
  '#5d3714',
  '#43270d',
]

/** As warm as the light scheme: the surfaces of fields and buttons in the dark one. */
const dark: MantineColorsTuple = [
  '#f3eae1',
  '#c6b7a8',
  '#a89786',
  '#948170',
  '#5a4a3e',
  '#3a2f27',
  '#2c231d',
  '#231c17',
  '#17120f',
  '#0f0b09',
]

export const THEME = createTheme({
  primaryColor: 'coffee',
  primaryShade: { light: 7, dark: 3 },
  colors: { coffee, dark },
  // The lighter shade of the dark scheme needs dark text.
  variantColorResolver: (input) => ({
    ...defaultVariantColorsResolver(input),
    ...(input.variant === 'filled' && { color: 'var(--on-filled)' }),
  }),
  defaultRadius: 'md',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  headings: { fontFamily: 'inherit' },
  // A link inside of a sentence differs from it by more than its colour.
  components: { Anchor: Anchor.extend({ defaultProps: { underline: 'always' } }) },
})

export const VARIABLES: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--ground': '#f6f0e9',
    '--line': '#8a7868',
    '--on-filled': '#fff',
    '--mantine-color-text': '#2b211a',
    '--mantine-color-dimmed': '#67574a',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-red-filled': '#b3261e',
    '--mantine-color-red-filled-hover': '#932019',
  },
  dark: {
    '--ground': '#17120f',
    '--line': '#948170',
    '--on-filled': '#231509',
    '--mantine-color-dimmed': '#c6b7a8',
    '--mantine-color-anchor': '#e0ab72',
    '--mantine-color-error': '#ffa198',
  },
})
