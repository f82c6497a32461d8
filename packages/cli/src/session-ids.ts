const idLength = 22

/** One base64url id in 64 begins with `-`; behind `--` it is no option, and options may still come before it or after it. */
export function protectIds(words: readonly string[]): string[] {
  if (words.includes('--')) return [...words]
  const ids = words.filter(looksLikeOption)
  return ids.length === 0 ? [...words] : [...words.filter((word) => !looksLikeOption(word)), '--', ...ids]
}

function looksLikeOption(word: string): boolean {
  return word.length === idLength && /^-[\w-]+$/.test(word)
}
