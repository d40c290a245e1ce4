using System.Globalization;
using System.Text;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Base weights with their versions, as snapshots and the topic of a cluster's state hold them: one safetensors file, or where groups have weights of their own several, each behind its length.</summary>
internal static class ModelBytes
{
    private const string Version = "version";
    private const string Since = "since";

    /// <summary>Begins what holds several: no safetensors file does, as this would be the length of a header beyond all that is read.</summary>
    private static ReadOnlySpan<byte> Several => "SLGROUPS"u8;

    public static byte[] Of(BaseModel model)
    {
        if (model.Groups.Count == 0)
        {
            return One(model);
        }

        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);
        writer.Write(Several);
        Write(writer, One(model));
        writer.Write(model.Groups.Count);

        foreach ((string group, BaseModel own) in model.Groups.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            writer.Write(group);
            Write(writer, One(own));
        }

        return buffer.ToArray();
    }

    /// <exception cref="InvalidDataException">It is not what <see cref="Of"/> wrote, or of another shape.</exception>
    public static BaseModel Read(byte[] bytes)
    {
        if (!bytes.AsSpan().StartsWith(Several))
        {
            return ReadOne(bytes);
        }

        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, Several.Length, bytes.Length - Several.Length, writable: false), Encoding.UTF8);
            BaseModel model = ReadOne(reader.ReadBytes(reader.ReadInt32()));
            Dictionary<string, BaseModel> groups = [];

            for (int left = reader.ReadInt32(); left > 0; left--)
            {
                groups.Add(reader.ReadString(), ReadOne(reader.ReadBytes(reader.ReadInt32())));
            }

            return model with { Groups = groups };
        }
        catch (Exception cut) when (cut is EndOfStreamException or ArgumentException)
        {
            throw new InvalidDataException($"weights of groups that end too early ({cut.Message})", cut);
        }
    }

    private static byte[] One(BaseModel model)
    {
        using var buffer = new MemoryStream();
        WeightsFile.Write(buffer, model.Weights, new Dictionary<string, string>
        {
            [Version] = model.Version.ToString(CultureInfo.InvariantCulture),
            [Since] = model.Since.ToString(CultureInfo.InvariantCulture),
        });
        return buffer.ToArray();
    }

    private static BaseModel ReadOne(byte[] bytes)
    {
        using var buffer = new MemoryStream(bytes, writable: false);
        ForecastWeights weights = WeightsFile.Read(buffer, out IReadOnlyDictionary<string, string> said);

        if (weights.Shape != BaseModel.Shape || !said.TryGetValue(Version, out string? version))
        {
            throw new InvalidDataException($"weights of shape {weights.Shape}, expected {BaseModel.Shape}");
        }

        // Of versions without groups what serves came with its version.
        var model = new BaseModel(long.Parse(version, CultureInfo.InvariantCulture), weights);
        return said.TryGetValue(Since, out string? since) ? model with { Since = long.Parse(since, CultureInfo.InvariantCulture) } : model;
    }

    private static void Write(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }
}
