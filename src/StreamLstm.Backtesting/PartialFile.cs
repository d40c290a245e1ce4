using System.Text;

namespace StreamLstm.Backtesting;

/// <summary>A text file that bears its name only once it is complete.</summary>
internal sealed class PartialFile : IDisposable
{
    private readonly string _path;
    private readonly string _partial;

    public PartialFile(string path)
    {
        _path = path;
        _partial = path + ".partial";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Writer = new StreamWriter(_partial, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
    }

    public StreamWriter Writer { get; }

    public void Complete()
    {
        Writer.Dispose();
        File.Move(_partial, _path, overwrite: true);
    }

    public void Dispose()
    {
        Writer.Dispose();
        File.Delete(_partial);
    }
}
