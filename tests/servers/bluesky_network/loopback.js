// Keeps every listener of the network's servers on the loopback interface: they would listen on all of them.
'use strict'
const { Server } = require('node:net')
const listen = Server.prototype.listen

Server.prototype.listen = function (...args) {
  const callback = typeof args.at(-1) === 'function' ? [args.pop()] : []
  const [first, second] = args
  const wanted = first !== null && typeof first === 'object' ? first : { port: Number(first ?? 0), backlog: Number(second) || undefined }
  if (wanted.path !== undefined || wanted.fd !== undefined || wanted._handle !== undefined) return listen.call(this, ...args, ...callback)
  return listen.call(this, { ...wanted, host: '127.0.0.1' }, ...callback)
}
