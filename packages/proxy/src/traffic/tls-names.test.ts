import { expect, test } from 'vitest'

import { certificateText } from './certificates.test-support.ts'
import { ServerNames } from './tls-names.ts'

const names = new ServerNames<string>()
names.add(certificateText('shop.cert.pem'), 'shop')
names.add(certificateText('renewed.cert.pem'), 'renewed')
names.add(certificateText('blog.cert.pem'), 'blog')

test.each([
  ['shop.example.com', 'shop'],
  ['SHOP.example.COM', 'shop'],
  ['blog.example.com', 'blog'],
  ['a.shop.example.com', 'shop'],
  ['a.b.shop.example.com', undefined],
  ['.shop.example.com', undefined],
  ['example.com', undefined],
  ['*.shop.example.com', 'shop'],
  ['', undefined],
  ['__proto__', undefined],
  ['constructor', undefined],
  ['shop.example.com\0.evil', undefined],
  ['\xff\xfe', undefined],
])('for %j that is %s', (name, meant) => {
  expect(names.find(name)).toBe(meant)
})
