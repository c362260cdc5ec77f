// A chat service beside the network: nobody publishes the real one. Requests and answers are checked against the vendor's own lexicons, callers by the
// service tokens that the real account server signs; follows, blocks and who may write are read from the real repositories. Conversations between two
// only, kept in memory. Refuses what the lexicons name: strangers' conversations, blocks, closed and followers-only inboxes, locks, odd reactions.
'use strict'
const http = require('node:http')
const { createRequire } = require('node:module')
const path = require('node:path')
const from = createRequire(path.join(process.env.MODULES, 'chat.js'))
const { TID } = from('@atproto/common')
const { Secp256k1Keypair } = from('@atproto/crypto')
const { IdResolver } = from('@atproto/identity')
const { createServer, verifyJwt, InvalidRequestError } = from('@atproto/xrpc-server')
const plc = from('@did-plc/lib')
const { schemas } = from('@atproto/api/dist/client/lexicons.js')

const PAGE = 20
const MOST_REACTIONS = 5
const defs = (name) => `chat.bsky.convo.defs#${name}`

class ChatService {
  constructor(directory, pds) {
    this.pds = pds
    this.resolver = new IdResolver({ plcUrl: directory })
    this.convos = new Map()
    this.logs = new Map()
  }

  async records(did, collection) {
    const query = new URLSearchParams({ repo: did, collection, limit: '100' })
    const answer = await fetch(`${this.pds}/xrpc/com.atproto.repo.listRecords?${query}`)
    if (!answer.ok) throw new InvalidRequestError('recipient does not exist', 'RecipientNotFound')
    return (await answer.json()).records.map((record) => record.value)
  }

  async has(did, collection, other) {
    return (await this.records(did, collection)).some((value) => value.subject === other)
  }

  async check(sender, recipient, isNew) {
    const blocks = 'app.bsky.graph.block'
    if ((await this.has(recipient, blocks, sender)) || (await this.has(sender, blocks, recipient)))
      throw new InvalidRequestError('block between recipient and sender', 'BlockedActor')
    if (!isNew) return
    const [declaration] = await this.records(recipient, 'chat.bsky.actor.declaration')
    const allowed = declaration?.allowIncoming ?? 'following'
    if (allowed === 'none') throw new InvalidRequestError('recipient has disabled incoming messages', 'MessagesDisabled')
    if (allowed === 'following' && !(await this.has(recipient, 'app.bsky.graph.follow', sender)))
      throw new InvalidRequestError('recipient requires incoming messages to come from someone they follow', 'NotFollowedBySender')
  }

  between(did, other) {
    return [...this.convos.values()].find((convo) => convo.members.includes(did) && convo.members.includes(other))
  }

  mine(did, id) {
    const convo = this.convos.get(id)
    if (!convo || !convo.members.includes(did) || convo.left.has(did)) throw new InvalidRequestError('Convo not found', 'InvalidConvo')
    return convo
  }

  log(did, kind, convo, more = {}) {
    const rev = TID.nextStr()
    convo.rev = rev
    const entries = this.logs.get(did) ?? []
    this.logs.set(did, [...entries, { $type: defs(kind), rev, convoId: convo.id, ...more }])
    return rev
  }

  shown(did, message) {
    const { id, rev, sender, sentAt, hidden } = message
    if (hidden.has(did)) return { $type: defs('deletedMessageView'), id, rev, sender, sentAt }
    const { hidden: _, ...view } = message
    return { $type: defs('messageView'), ...view }
  }

  async profile(viewer, did) {
    const answer = await fetch(`${this.pds}/xrpc/com.atproto.repo.describeRepo?repo=${did}`)
    const blocks = 'app.bsky.graph.block'
    const blocking = viewer !== did && (await this.has(viewer, blocks, did))
    const blockedBy = viewer !== did && (await this.has(did, blocks, viewer))
    const state = { muted: false, blockedBy, ...(blocking ? { blocking: `at://${viewer}/${blocks}/self` } : {}) }
    return { did, handle: (await answer.json()).handle, labels: [], viewer: state }
  }

  async view(did, convo) {
    const members = await Promise.all(convo.members.map((member) => this.profile(did, member)))
    const last = convo.messages.at(-1)
    return {
      id: convo.id,
      rev: convo.rev,
      members,
      muted: false,
      unreadCount: convo.messages.slice(convo.read.get(did) ?? 0).filter((one) => one.sender.did !== did).length,
      status: convo.accepted.has(did) ? 'accepted' : 'request',
      ...(last ? { lastMessage: this.shown(did, last) } : {}),
    }
  }

  async forMembers(did, members) {
    const others = members.filter((member) => member !== did)
    if (others.length !== 1) throw new InvalidRequestError('only conversations between two are made')
    const [other] = others
    let convo = this.between(did, other)
    await this.check(did, other, !convo)
    if (!convo) {
      const rev = TID.nextStr()
      convo = { id: TID.nextStr(), rev, members: [did, other], messages: [], accepted: new Set([did]), left: new Set(), read: new Map() }
      this.convos.set(convo.id, convo)
      for (const member of convo.members) this.log(member, 'logBeginConvo', convo)
    }
    convo.left.delete(did)
    return convo
  }

  async send(did, id, input) {
    const convo = this.mine(did, id)
    await this.check(did, convo.members.find((member) => member !== did), false)
    if (convo.isLocked) throw new InvalidRequestError('Convo is locked', 'ConvoLocked')
    const { text, facets } = input
    const message = { id: TID.nextStr(), rev: TID.nextStr(), text, ...(facets ? { facets } : {}), sender: { did }, sentAt: new Date().toISOString(), hidden: new Set() }
    convo.messages.push(message)
    for (const member of convo.members) this.log(member, 'logCreateMessage', convo, { message: this.shown(member, message) })
    return this.shown(did, message)
  }

  react(did, { convoId, messageId, value }, isAdded) {
    const convo = this.mine(did, convoId)
    const message = convo.messages.find((one) => one.id === messageId)
    if (!message) throw new InvalidRequestError('Message not found', 'ReactionNotAllowed')
    if (message.hidden.has(did)) throw new InvalidRequestError('Message deleted', 'ReactionMessageDeleted')
    if (!/\p{Extended_Pictographic}/u.test(value)) throw new InvalidRequestError('Not an emoji', 'ReactionInvalidValue')
    const mine = (one) => one.sender.did === did && one.value === value
    const reactions = message.reactions ?? []
    const reaction = reactions.find(mine) ?? { value, sender: { did }, createdAt: new Date().toISOString() }
    if (isAdded === reactions.some(mine)) return this.shown(did, message)
    if (isAdded && reactions.filter((one) => one.sender.did === did).length >= MOST_REACTIONS)
      throw new InvalidRequestError('Too many reactions', 'ReactionLimitReached')
    message.reactions = isAdded ? [...reactions, reaction] : reactions.filter((one) => !mine(one))
    const kind = isAdded ? 'logAddReaction' : 'logRemoveReaction'
    for (const member of convo.members) this.log(member, kind, convo, { message: this.shown(member, message), reaction })
    return this.shown(did, message)
  }
}

const METHODS = {
  getConvoForMembers: async (chat, did, { params }) => ({ convo: await chat.view(did, await chat.forMembers(did, params.members)) }),
  getConvoAvailability: async (chat, did, { params }) => {
    const [other] = params.members.filter((member) => member !== did)
    const convo = chat.between(did, other)
    const canChat = await chat.check(did, other, !convo).then(() => true, () => false)
    return { canChat, ...(convo ? { convo: await chat.view(did, convo) } : {}) }
  },
  getConvo: async (chat, did, { params }) => ({ convo: await chat.view(did, chat.mine(did, params.convoId)) }),
  listConvos: async (chat, did, { params }) => {
    const all = [...chat.convos.values()].filter((convo) => convo.members.includes(did) && !convo.left.has(did))
    const below = all.sort((one, other) => (one.rev < other.rev ? 1 : -1)).filter((convo) => !params.cursor || convo.rev < params.cursor)
    const convos = below.slice(0, params.limit)
    return { convos: await Promise.all(convos.map((convo) => chat.view(did, convo))), ...(below.length > params.limit ? { cursor: convos.at(-1).rev } : {}) }
  },
  getMessages: (chat, did, { params }) => {
    const all = chat.mine(did, params.convoId).messages.toReversed().filter((one) => !params.cursor || one.id < params.cursor)
    const messages = all.slice(0, params.limit)
    return { messages: messages.map((one) => chat.shown(did, one)), ...(all.length > params.limit ? { cursor: messages.at(-1).id } : {}) }
  },
  getLog: (chat, did, { params }) => {
    const logs = (chat.logs.get(did) ?? []).filter((entry) => !params.cursor || entry.rev > params.cursor).slice(0, PAGE)
    const cursor = logs.at(-1)?.rev ?? params.cursor
    return { logs, ...(cursor ? { cursor } : {}) }
  },
  sendMessage: (chat, did, { input }) => chat.send(did, input.body.convoId, input.body.message),
  acceptConvo: (chat, did, { input }) => {
    const convo = chat.mine(did, input.body.convoId)
    if (convo.accepted.has(did)) return {}
    convo.accepted.add(did)
    return { rev: chat.log(did, 'logAcceptConvo', convo) }
  },
  leaveConvo: (chat, did, { input }) => {
    const convo = chat.mine(did, input.body.convoId)
    convo.left.add(did)
    return { convoId: convo.id, rev: chat.log(did, 'logLeaveConvo', convo) }
  },
  updateRead: async (chat, did, { input }) => {
    const convo = chat.mine(did, input.body.convoId)
    const at = convo.messages.findIndex((one) => one.id === input.body.messageId)
    convo.read.set(did, at < 0 ? convo.messages.length : at + 1)
    return { convo: await chat.view(did, convo) }
  },
  deleteMessageForSelf: (chat, did, { input }) => {
    const message = chat.mine(did, input.body.convoId).messages.find((one) => one.id === input.body.messageId)
    if (!message) throw new InvalidRequestError('Message not found', 'MessageDeleteNotAllowed')
    message.hidden.add(did)
    return chat.shown(did, message)
  },
  addReaction: (chat, did, { input }) => ({ message: chat.react(did, input.body, true) }),
  removeReaction: (chat, did, { input }) => ({ message: chat.react(did, input.body, false) }),
}

// Serves on `port` and announces itself in the directory; returns what stands in `atproto-proxy`.
exports.startChat = async ({ directory, pds, port }) => {
  const keypair = await Secp256k1Keypair.create()
  const client = new plc.Client(directory)
  const endpoint = `http://localhost:${port}`
  const own = await client.createDid({ signingKey: keypair.did(), rotationKeys: [keypair.did()], handle: 'chat.test', pds: endpoint, signer: keypair })
  await client.updateData(own, keypair, (data) => ({ ...data, services: { ...data.services, bsky_chat: { type: 'BskyChatService', endpoint } } }))
  const chat = new ChatService(directory, pds)
  const server = createServer(schemas, { validateResponse: true })
  for (const [name, act] of Object.entries(METHODS)) {
    const nsid = `chat.bsky.convo.${name}`
    const auth = async ({ req }) => {
      const token = (req.headers.authorization ?? '').replace(/^Bearer /, '')
      const signed = await verifyJwt(token, own, nsid, (did, fresh) => chat.resolver.did.resolveAtprotoKey(did, fresh))
      return { credentials: { did: signed.iss } }
    }
    server.method(nsid, {
      auth,
      handler: async (call) => ({ encoding: 'application/json', body: await act(chat, call.auth.credentials.did, call) }),
    })
  }
  http.createServer(server.router).listen(port)
  return `${own}#bsky_chat`
}
