

def read_sysinfo():  # a container has no DMI: the droplet's id comes with the environment of its first process
    pairs = (line.split("=", 1) for line in open("/proc/1/environ").read().split("\0") if "=" in line)
    droplet_id = dict(pairs).get("DROPLET_ID")
    return (bool(droplet_id), droplet_id)
