-- What wrk has seen, as one line of JSON. Latencies are microseconds. The one argument: milliseconds between two requests.
local pause = 0

init = function(args)
  pause = tonumber(args[1]) or 0
  if pause > 0 then
    delay = function() return pause end
  end
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"failed":%d,"p50":%d,"p95":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
