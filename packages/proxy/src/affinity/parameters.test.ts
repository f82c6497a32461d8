import { expect, test } from 'vitest'

import { pathParameter, queryParameter } from './parameters.ts'

test.for([
  ['/?sid=A', 'A'],
  ['/?x=1&sid=A&y=2', 'A'],
  ['/?sid=A&sid=B', 'A'],
  ['/?sid=', ''],
  ['/?sid=&sid=A', ''],
  ['/?sid=a=b', 'a=b'],
  ['/?sid=a%2Fb%c3', 'a/b\u00c3'],
  ['/?sid=%', '%'],
  ['/?sid=a+b', 'a+b'],
  ['/?sid', undefined],
  ['/?xsid=A', undefined],
  ['/?SID=A', undefined],
  ['/?x=sid=A', undefined],
  ['/sid=A', undefined],
  ['/&sid=A', undefined],
  ['/;sid=A', undefined],
])('the query of %j has %j', ([target, value]) => {
  expect(queryParameter(target!, 'sid')).toBe(value)
})

test.for([
  ['/shop;jsessionid=A', 'A'],
  ['/shop;v=1;jsessionid=A;w=2', 'A'],
  ['/shop;jsessionid=A/cart', 'A'],
  ['/shop;jsessionid=A/cart;jsessionid=B', 'A'],
  ['/shop;v=1/cart;jsessionid=A', 'A'],
  ['/shop;jsessionid=', ''],
  ['/shop;jsessionid=a%2Eb', 'a.b'],
  ['/shop;JSESSIONID=A', undefined],
  ['/shop;xjsessionid=A', undefined],
  ['/shop;v/jsessionid=A', undefined],
  ['/jsessionid=A', undefined],
])('the path %j has %j', ([path, value]) => {
  expect(pathParameter(path!, 'jsessionid')).toBe(value)
})
