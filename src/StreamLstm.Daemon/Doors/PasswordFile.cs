using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StreamLstm.Daemon.Doors;

/// <summary>Users and their passwords as mosquitto_passwd writes them: USER:$7$ITERATIONS$SALT$HASH (PBKDF2 of SHA-512), or $6$SALT$HASH.</summary>
/// <remarks>Read again when it changes. No password stands in it, and a user that is not in it takes as long to be refused as one that is.</remarks>
internal sealed class PasswordFile
{
    private const int IterationsMax = 10_000_000;

    private static readonly Entry Nobody = new(101, RandomNumberGenerator.GetBytes(12), RandomNumberGenerator.GetBytes(64));

    private readonly RereadFiles<Dictionary<string, Entry>> _file;

    /// <param name="path">The file.</param>
    /// <param name="time">For looking at it again.</param>
    /// <param name="changed">Hears that it changed.</param>
    /// <param name="trouble">Hears why it cannot be read.</param>
    public PasswordFile(string path, TimeProvider time, Action<string> changed, Action<string> trouble) =>
        _file = new RereadFiles<Dictionary<string, Entry>>([path], Parse, time) { Changed = changed, Trouble = trouble };

    /// <summary>Whether it is the user's password.</summary>
    public bool Takes(string? user, ReadOnlySpan<byte> password)
    {
        Entry? known = user is null ? null : _file.Current?.GetValueOrDefault(user);
        Entry entry = known ?? Nobody;
        byte[] hash = entry.Iterations == 0
            ? SHA512.HashData([.. password, .. entry.Salt])
            : Rfc2898DeriveBytes.Pbkdf2(password, entry.Salt, entry.Iterations, HashAlgorithmName.SHA512, entry.Hash.Length);
        return CryptographicOperations.FixedTimeEquals(hash, entry.Hash) & known is not null;
    }

    /// <summary>What is wrong with the file; null where nothing is.</summary>
    public static string? ProblemOf(string path) => RereadFiles<Dictionary<string, Entry>>.ProblemOf([path], Parse);

    private static Dictionary<string, Entry> Parse(IReadOnlyList<byte[]> files)
    {
        var users = new Dictionary<string, Entry>(StringComparer.Ordinal);

        foreach ((int number, string line) in Encoding.UTF8.GetString(files[0]).Split('\n').Index())
        {
            string text = line.Trim();
            int colon = text.IndexOf(':', StringComparison.Ordinal);

            if (text.Length == 0 || text[0] == '#')
            {
                continue;
            }

            if (colon <= 0 || Read(text[(colon + 1)..].Split('$')) is not { } entry)
            {
                // What stands there may be a password.
                throw new InvalidDataException($"line {number + 1} is not as mosquitto_passwd writes it (mosquitto_passwd -c FILE USER makes one, -U FILE hashes passwords that stand in it)");
            }

            users[text[..colon]] = entry;
        }

        return users.Count > 0 ? users : throw new InvalidDataException("no user in it; mosquitto_passwd -c FILE USER adds one");
    }

    private static Entry? Read(string[] parts)
    {
        try
        {
            return parts switch
            {
                ["", "7", var iterations, var salt, var hash]
                    when int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= IterationsMax && hash.Length > 0 =>
                    new Entry(count, Convert.FromBase64String(salt), Convert.FromBase64String(hash)),
                ["", "6", var salt, var hash] when hash.Length > 0 => new Entry(0, Convert.FromBase64String(salt), Convert.FromBase64String(hash)),
                _ => null,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <param name="Iterations">0: one SHA-512 over password and salt.</param>
    /// <param name="Salt">What it is salted with.</param>
    /// <param name="Hash">What comes of the password.</param>
    private sealed record Entry(int Iterations, byte[] Salt, byte[] Hash);
}
