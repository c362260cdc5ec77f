// Starts PLC directory, PDS, AppView, moderation service and a chat service of the AT Protocol in one process, and says so over HTTP once all of them work.
// In: MODULES (folder of node_modules), PLC_PORT, PDS_PORT, APPVIEW_PORT, OZONE_PORT, CHAT_PORT, READY_PORT, RATE_LIMITS (1: on), DB_POSTGRES_URL, REDIS_HOST. Out: GET READY_PORT -> addresses.
'use strict'
const http = require('node:http')
const { createRequire } = require('node:module')
const path = require('node:path')
const { startChat } = require('./chat.js')
const { TestNetwork } = createRequire(path.join(process.env.MODULES, 'net.js'))('@atproto/dev-env')

const port = (name) => Number(process.env[`${name}_PORT`])

async function main() {
  const appview = `http://localhost:${port('APPVIEW')}`
  const network = await TestNetwork.create({
    dbPostgresSchema: 'bsky',
    plc: { port: port('PLC') },
    pds: {
      port: port('PDS'),
      hostname: 'localhost',
      enableDidDocWithSession: true,
      rateLimitsEnabled: process.env.RATE_LIMITS === '1',
    },
    bsky: { dbPostgresSchema: 'bsky', port: port('APPVIEW'), publicUrl: appview },
    ozone: { port: port('OZONE'), chatUrl: 'http://localhost:9', chatDid: 'did:example:chat' },
  })
  const stop = async () => {
    await network.close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const chat = await startChat({ directory: network.plc.url, pds: network.pds.url, port: port('CHAT') })
  const addresses = JSON.stringify({ pds: network.pds.url, appview, plc: network.plc.url, chat })
  http.createServer((_, answer) => answer.end(addresses)).listen(port('READY'))
}

main().catch((problem) => {
  console.error(problem)
  process.exit(1)
})
