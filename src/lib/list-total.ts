/** Lists are counted so far, and one more stands for more: to count to the end would cost as much as reading it all. */
export const mostCounted = 1000

/** `12`, `1,000+` */
export function totalText(total: number, number = (value: number) => value.toLocaleString('en')): string {
  return total > mostCounted ? `${number(mostCounted)}+` : number(total)
}
