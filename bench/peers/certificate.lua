-- The certificate of each handshake, by its server name, from an LRU of parsed certificates.
local lrucache = require("resty.lrucache")
local ssl = require("ngx.ssl")

local ITEMS = 200
local SECONDS = 86400

local cache = assert(lrucache.new(ITEMS))
local M = {}

local function read(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

function M.keep(name, chain_path, key_path)
  cache:set(name, {
    chain = assert(ssl.parse_pem_cert(read(chain_path))),
    key = assert(ssl.parse_pem_priv_key(read(key_path))),
  }, SECONDS)
end

-- On a miss nginx's own certificate stays.
function M.choose()
  local name = ssl.server_name()
  local pair = name and cache:get(name)
  if not pair then
    return
  end
  assert(ssl.clear_certs())
  assert(ssl.set_cert(pair.chain))
  assert(ssl.set_priv_key(pair.key))
end

return M
