import { expect, it } from 'vitest'
import { unifiedDiff } from './unified-diff.ts'

it('shows only the lines between what both texts share', () => {
  expect(unifiedDiff('/f', 'a\nb\nc\n', 'a\nx\ny\nc\n')).toBe('--- /f\n+++ /f\n@@ -2,1 +2,2 @@\n-b\n+x\n+y')
})

it('shows a new and a removed file as diff does', () => {
  expect(unifiedDiff('/f', undefined, 'a\n')).toBe('--- /dev/null\n+++ /f\n@@ -0,0 +1,1 @@\n+a')
  expect(unifiedDiff('/f', 'a\n', undefined)).toBe('--- /f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a')
})

it('is bounded', () => {
  expect(unifiedDiff('/f', undefined, 'x\n'.repeat(50_000)).length).toBeLessThanOrEqual(20_000)
})
