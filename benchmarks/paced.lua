-- Paths from a file, in any order; between the requests of one connection 1 to 19 milliseconds, 10 on average.
local paths = {}

function init(arguments)
  for line in io.lines(arguments[1]) do
    paths[#paths + 1] = line
  end
end

function request()
  return wrk.format("GET", paths[math.random(#paths)])
end

function delay()
  return math.random(1, 19)
end
