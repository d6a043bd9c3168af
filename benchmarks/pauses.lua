-- Between the requests of one connection: 1 to 5 milliseconds.
function delay()
  return math.random(1, 5)
end
